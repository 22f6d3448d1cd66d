"""Every message that tells the user what to change is followed by a test: here, or in one that `elsewhere.txt` names.

A line of `elsewhere.txt` is `part of the message, as it stands in the code => file::test`, or `=> why no test can`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = sorted((HERE.parents[1] / "sr").rglob("*.py"))
ADVISES = re.compile(
    r"(?:^|[;:,.(]|\bor\b|\band\b)\s*\(?(?:then |or |and |else )?(?:run|remove|give|add|use|set|take|choose|raise|"
    r"lower|write|leave|free|make|rename|call|try|put|copy|skip)\b",
    re.IGNORECASE,
)
CONCRETE = re.compile(
    r"remove|redo=|[a-z_]+[./][a-z_]+=|\b[a-z_]+=[\w\[<{]|--\w+|python -m|same command|raise|lower|leave|rename|call it"
)
"""What the advice changes: a key, an option, a file, a command."""
NO_MESSAGES = (
    "console.py",
    "bench/command.py",
    "upscale/command.py",
    "perceptual_scores.py",
    "phone_texts.py",
    "plane.py",
    "charts.py",
)
LISTED = [line.split(" => ") for line in (HERE / "elsewhere.txt").read_text(encoding="utf-8").splitlines()]


def template(node: ast.AST) -> str:
    """The text of a string in the code, with a brace in place of each value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(value.value if isinstance(value, ast.Constant) else "{}" for value in node.values)
    return ""


def strings(path: Path) -> Iterator[str]:
    """All strings of a module but its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for part in ast.walk(node)
        if part is not node
    }
    nodes = [node for node in ast.walk(tree) if id(node) not in inside or isinstance(node, ast.JoinedStr)]
    yield from (text for node in nodes if (text := template(node)))


def advice() -> list[str]:
    """All messages of the package that tell what to change."""
    paths = [path for path in SOURCES if not path.as_posix().endswith(NO_MESSAGES)]
    found = [text for path in paths for text in strings(path)]
    return [text for text in found if " " in text and ADVISES.search(text) and CONCRETE.search(text)]


def followed_here() -> list[str]:
    rows = (HERE / "settings.txt").read_text(encoding="utf-8").splitlines()
    own = [text for path in HERE.glob("test_*_advice.py") for text in strings(path)]
    return [row.split(" => ")[1] for row in rows] + own


def test_the_messages_are_found():
    assert len(advice()) > 100


@pytest.mark.parametrize("message", sorted(set(advice())))
def test_advice_is_followed_by_a_test(message):
    parts = [part.replace("\\", "") for part in followed_here()] + [part for part, _ in LISTED]
    assert any(len(part) > 12 and part in message for part in parts), "add a test that follows it, see this module"


@pytest.mark.parametrize(("part", "where"), LISTED, ids=[part for part, _ in LISTED])
def test_the_tests_named_are_there(part, where):
    assert any(part in text for text in advice()), "no message has this part"
    file, _, name = where.partition("::")
    if name:
        assert re.search(rf"def {name}\(", (HERE.parent / file).read_text(encoding="utf-8"))
