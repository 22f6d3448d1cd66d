"""Files are whole or absent."""

import os

import pytest

from sr.rundir.files import read_json, sha256, write_atomically, write_json


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
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "b.json", {"psnr_y_db": float("nan")})
    assert not (tmp_path / "b.json").exists()


def test_damaged_json_is_named(tmp_path):
    (tmp_path / "a.json").write_text('{"half": ')
    with pytest.raises(ValueError, match=r"a\.json is damaged"):
        read_json(tmp_path / "a.json")


def test_hash_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf")
