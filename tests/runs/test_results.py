"""A result counts while its files are those that were written; another run's is taken only whole."""

import json
import shutil
from pathlib import Path

import pytest

from sr.runs.results import ResultIndex, is_whole, lost_in, read_result, result_key, write_result

RESULT = "quantized/quantized.json"


def finished(folder: Path, key: str = "k1", text: str = "simulation") -> Path:
    (folder / "quantized").mkdir(parents=True)
    (folder / "quantized/simulation.pt").write_text(text)
    write_result(folder, RESULT, {"stage": "quantize", "key": key}, ["quantized/simulation.pt"])
    return folder


@pytest.fixture
def index(tmp_path):
    return ResultIndex(folder=tmp_path / ".results")


def test_a_key_changes_with_everything_that_decides_a_result():
    keys = {
        result_key("quantize", 1, {"a": 1}, {"net": "x"}),
        result_key("export", 1, {"a": 1}, {"net": "x"}),
        result_key("quantize", 2, {"a": 1}, {"net": "x"}),
        result_key("quantize", 1, {"a": 2}, {"net": "x"}),
        result_key("quantize", 1, {"a": 1}, {"net": "y"}),
    }
    assert len(keys) == 5
    assert result_key("s", 1, {"a": 1, "b": 2}, {}) == result_key("s", 1, {"b": 2, "a": 1}, {})


def test_a_result_of_another_key_or_without_its_files_does_not_count(tmp_path):
    run = finished(tmp_path / "run")
    assert is_whole(run, RESULT, "k1") and not is_whole(run, RESULT, "k2") and lost_in(run) == []
    (run / "quantized/simulation.pt").write_text("simulatiox")  # one byte, of the same size: seen when it is used
    assert lost_in(run) == [] and not is_whole(run, RESULT, "k1")
    (run / "quantized/simulation.pt").unlink()
    assert lost_in(run) == ["quantized/simulation.pt"]


def test_another_run_takes_it_and_says_from_where(tmp_path, index):
    first = finished(tmp_path / "main/first")
    index.add(first, RESULT)
    second = tmp_path / "other/second"
    assert index.take("quantize", "k1", second, RESULT) == first.as_posix()
    assert is_whole(second, RESULT, "k1") and read_result(second / RESULT)["reused_from"] == first.as_posix()
    assert index.take("quantize", "k2", second, RESULT) is None
    never = ResultIndex(folder=index.folder, reuse=False)
    assert never.take("quantize", "k1", tmp_path / "third", RESULT) is None


def test_a_deleted_source_is_ignored_and_the_copy_serves_on(tmp_path, index):
    first = finished(tmp_path / "first")
    index.add(first, RESULT)
    index.take("quantize", "k1", tmp_path / "second", RESULT)
    shutil.rmtree(first)
    assert index.take("quantize", "k1", tmp_path / "third", RESULT) == (tmp_path / "second").as_posix()
    for name in ("second", "third"):
        shutil.rmtree(tmp_path / name)
    assert index.take("quantize", "k1", tmp_path / "fourth", RESULT) is None


def test_a_damaged_source_is_not_taken_and_named(tmp_path, index, capsys):
    first = finished(tmp_path / "first")
    index.add(first, RESULT)
    (first / "quantized/simulation.pt").write_text("simulatiox")
    assert index.take("quantize", "k1", tmp_path / "second", RESULT) is None
    assert (
        f"{first} has it, but quantized/simulation.pt was removed or changed there: not taken"
        in capsys.readouterr().out
    )
    assert not (tmp_path / "second/quantized").exists()


@pytest.mark.parametrize("name", ["../outside", "/etc/hosts", "quantized/../../outside"])
def test_a_result_cannot_name_files_outside_of_its_run(tmp_path, index, name):
    (tmp_path / "outside").write_text("x")
    first = finished(tmp_path / "first")
    index.add(first, RESULT)
    content = json.loads((first / RESULT).read_text())
    content["written"][name] = {
        "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        "bytes": 1,
    }
    (first / RESULT).write_text(json.dumps(content))
    assert index.take("quantize", "k1", tmp_path / "a/second", RESULT) is None


def test_outputs_that_were_moved_still_find_each_other(tmp_path):
    index = ResultIndex(folder=tmp_path / "outputs/.results")
    index.add(finished(tmp_path / "outputs/main/first"), RESULT)
    (tmp_path / "outputs").rename(tmp_path / "moved")
    moved = ResultIndex(folder=tmp_path / "moved/.results")
    assert moved.take("quantize", "k1", tmp_path / "moved/main/second", RESULT) == str(tmp_path / "moved/main/first")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"runs": 5}', '{"runs": [5]}'])
def test_a_damaged_pointer_or_result_is_as_good_as_none(tmp_path, index, text):
    first = finished(tmp_path / "first")
    index.add(first, RESULT)
    next(index.folder.glob("*.json")).write_text(text)
    assert index.take("quantize", "k1", tmp_path / "second", RESULT) is None
    (first / RESULT).write_text(text)
    assert not is_whole(first, RESULT, "k1") and lost_in(first) == []
