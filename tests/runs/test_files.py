"""Files are whole or absent."""

import math
import os

import pytest

from sr.runs.files import read_json, remove_leftovers, sha256, write_atomically, write_json


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_atomically(path, "old")

    def fail(temporary):
        temporary.write_text("half")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_json_round_trip_and_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"psnr_y_db": 32.5})
    assert read_json(tmp_path / "a.json") == {"psnr_y_db": 32.5}
    with pytest.raises(ValueError, match=r"^quality\[1\]\.psnr_y_db is not a number"):
        write_json(tmp_path / "b.json", {"quality": [{}, {"psnr_y_db": float("nan")}]})
    assert not (tmp_path / "b.json").exists()


def test_the_psnr_of_equal_images_can_be_kept(tmp_path):
    write_json(tmp_path / "a.json", {"per_image": ({"psnr_y_db": math.inf}, {"psnr_y_db": 1.5})})
    assert [float(each["psnr_y_db"]) for each in read_json(tmp_path / "a.json")["per_image"]] == [math.inf, 1.5]


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    kept = [tmp_path / name for name in ("a.ckpt", ".running", ".hydra.yaml", "checkpoints/1.ckpt")]
    for path in (*kept, tmp_path / "checkpoints/.4711.last.ckpt", tmp_path / ".12.report.json"):
        path.write_text("x")
    remove_leftovers(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)


def test_damaged_json_is_named(tmp_path):
    (tmp_path / "a.json").write_text('{"half": ')
    with pytest.raises(ValueError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")


def test_hash_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf")
