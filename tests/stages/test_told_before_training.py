"""No stage raises a ValueError after the training that its `check` could have raised: each place that raises one is
named like a check, or is listed in `late_errors.txt` with who asks before, or why only the work can know.

A line is `part of the message => asked: by what`, `=> data: what it depends on` or `=> machine: what has to happen`.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("stages", "quantization", "export", "callbacks")
CHECKS = ("__post_init__", "check", "refuse")
"""Beginnings of the names of functions that run before the training."""
LISTED = [line.split(" => ") for line in (Path(__file__).parent / "late_errors.txt").read_text("utf-8").splitlines()]


def text_of(node: ast.AST) -> str:
    """All constant text in an expression, with a brace for each value; a name in capitals is itself."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(value) if isinstance(value, ast.Constant) else "{}" for value in node.values)
    if isinstance(node, ast.Name) and node.id == "MISSING":
        return "quantization needs AIMET"
    return " ".join(text_of(child) for child in ast.iter_child_nodes(node))


def late(node: ast.AST, function: str = "") -> Iterator[str]:
    """Messages of the ValueErrors below a node that are raised in no check."""
    for child in ast.iter_child_nodes(node):
        raised = ast.unparse(child.exc) if isinstance(child, ast.Raise) and child.exc else ""
        if "ValueError" in raised and not function.startswith(CHECKS):
            yield text_of(child.exc)
        yield from late(child, child.name if isinstance(child, ast.FunctionDef) else function)


def messages() -> list[str]:
    paths = [path for room in ROOMS for path in sorted((ROOT / "sr" / room).rglob("*.py"))]
    return [text for path in paths for text in late(ast.parse(path.read_text(encoding="utf-8")))]


@pytest.mark.parametrize("message", messages())
def test_an_error_of_the_work_is_asked_before_or_cannot_be(message: str) -> None:
    assert any(part in message for part, _ in LISTED), "let a check raise it, or say in late_errors.txt why none can"


@pytest.mark.parametrize(("part", "why"), LISTED)
def test_the_list_has_no_message_that_is_gone(part: str, why: str) -> None:
    assert any(part in message for message in messages())
    assert why.startswith(("asked: ", "data: ", "machine: "))


def test_every_stage_is_asked() -> None:
    """`prepare` hands all stages of the plan to `check_stages`, before anything is trained."""
    source = (ROOT / "sr/experiment.py").read_text(encoding="utf-8")
    functions = {node.name: ast.unparse(node) for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    assert "check_stages(stages_in_order(stages), stages, job)" in functions["prepare"]
    assert (
        functions["run"].index("prepare(") < functions["run"].index("train(") < functions["run"].index("complete_all(")
    )
