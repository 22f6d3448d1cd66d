"""A part is made once for the same inputs, and again once its files are not those that were kept."""

from pathlib import Path
from typing import Any

from sr.runs.parts import NO_PARTS, Parts


class Maker:
    """Write a file and count how often."""

    def __init__(self, place: Path) -> None:
        self.place, self.calls = place, 0

    def __call__(self) -> dict[str, Any]:
        self.calls += 1
        self.place.mkdir(exist_ok=True)
        (self.place / "chip.bin").write_text(f"compiled {self.calls}")
        return {"files": ["chip.bin"], "chip": "SM8450"}


def test_a_part_is_made_once_for_the_same_inputs(tmp_path):
    parts, first, second = Parts(tmp_path / "parts"), Maker(tmp_path / "first"), Maker(tmp_path / "second")
    made = parts.take("context", {"model": "a"}, first, tmp_path / "first")
    assert parts.take("context", {"model": "a"}, second, tmp_path / "second") == made
    assert (first.calls, second.calls) == (1, 0)
    assert (tmp_path / "second/chip.bin").read_text() == "compiled 1"
    parts.take("context", {"model": "b"}, second, tmp_path / "second")
    parts.take("other", {"model": "a"}, second, tmp_path / "second")
    assert second.calls == 2


def test_a_part_is_kept_when_the_run_that_made_it_is_removed(tmp_path):
    parts, first, second = Parts(tmp_path / "parts"), Maker(tmp_path / "first"), Maker(tmp_path / "second")
    parts.take("context", {}, first, tmp_path / "first")
    (tmp_path / "first/chip.bin").unlink()
    parts.take("context", {}, second, tmp_path / "second")
    assert second.calls == 0 and (tmp_path / "second/chip.bin").read_text() == "compiled 1"


def test_a_changed_file_of_a_part_is_not_taken(tmp_path):
    parts, first = Parts(tmp_path / "parts"), Maker(tmp_path / "first")
    parts.take("context", {}, first, tmp_path / "first")
    (kept,) = (tmp_path / "parts").glob("*/chip.bin")
    kept.write_text("compiled 9")
    assert parts.take("context", {}, first, tmp_path / "first")["chip"] == "SM8450"
    assert first.calls == 2 and kept.read_text() == "compiled 2"


def test_facts_alone_need_no_files_and_without_a_folder_all_is_made(tmp_path):
    parts = Parts(tmp_path / "parts")
    assert [parts.take("estimate", {}, lambda value=value: {"us": value})["us"] for value in (1, 2)] == [1, 1]
    assert [NO_PARTS.take("estimate", {}, lambda value=value: {"us": value})["us"] for value in (1, 2)] == [1, 2]
