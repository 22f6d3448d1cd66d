"""docs/failures.md and docs/phone.md: each message that it explains is in the code, and each has a cause and a cure."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENTRIES = [
    entry
    for page in ("failures.md", "phone.md")
    for entry in re.findall(
        r"^### `([^\n]+)`\n(.+?)(?=\n#|\Z)", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.M | re.S
    )
]
HOLE = "\0"


def texts() -> Iterator[str]:
    """Yield every text in the code; what an f-string fills in is one character."""
    for path in sorted((ROOT / "sr").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


TEXTS = sorted(set(texts()))


def says(message: str) -> bool:
    pattern = re.compile(".*".join(re.escape(part) for part in message.split("...")), re.S)
    return any(pattern.search(text) for text in TEXTS)


def test_there_are_many_entries_and_each_message_has_one():
    messages = [message for message, _ in ENTRIES]
    assert len(messages) >= 40 and len(set(messages)) == len(messages)
    assert not says("no such ... message is raised anywhere here")


@pytest.mark.parametrize(("message", "answer"), ENTRIES, ids=[message[:40] for message, _ in ENTRIES])
def test_each_message_is_in_the_code_and_has_cause_and_cure(message, answer):
    assert len(message.replace("...", "").strip()) >= 8, "a message that would match anything"
    assert says(message), "the code says this no longer: correct the entry"
    assert answer.startswith("Cause: ") and "Cure: " in answer
