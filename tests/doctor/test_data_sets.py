"""Test sets: checksums, whole and partial sets, bicubic rows right and wrong."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr.doctor.data_sets import (
    BicubicRow,
    bicubic_rows,
    check_manifest,
    check_rows,
    check_set,
    grey_files,
    present,
    published_rows,
)
from sr.doctor.finding import examine
from sr.runs.files import sha256


def _save(path: Path, mode: str = "RGB", side: int = 24) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(str(path))).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return path


def _manifest(root: Path, paths: list[Path]) -> None:
    with open(root / "MANIFEST.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "bytes", "sha256"))
        writer.writerows((path.relative_to(root).as_posix(), path.stat().st_size, sha256(path)) for path in paths)


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    paths = [_save(tmp_path / "train" / f"{i}.png") for i in range(3)]
    _manifest(tmp_path, paths)
    (whole,) = check_manifest(tmp_path)
    assert (whole.state, whole.detail) == ("ok", "3 of 3 files have the listed SHA-256")
    paths[0].unlink()
    (partial,) = check_manifest(tmp_path)
    assert (partial.state, partial.detail) == ("ok", "2 of 3 files have the listed SHA-256; 1 do not exist")
    paths[1].write_bytes(paths[1].read_bytes() + b"\n")
    (changed,) = check_manifest(tmp_path)
    assert changed.state == "broken"
    assert "1 of 2 files have a wrong SHA-256: train/1.png" in changed.detail


def test_no_manifest_is_no_fault(tmp_path: Path) -> None:
    assert [finding.state for finding in check_manifest(tmp_path)] == ["note"]


def test_a_manifest_of_another_kind_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.csv").write_text("name,license\nSet5,free\n")
    (finding,) = check_manifest(tmp_path)
    assert finding.state == "note" and "['name', 'license']" in finding.detail


def test_a_set_that_is_not_here_is_no_fault_and_a_part_of_one_is(tmp_path: Path) -> None:
    assert [finding.state for finding in check_set("set5", tmp_path)] == ["note"]
    _save(tmp_path / "test" / "Set5" / "baby.png")
    assert present("set5", tmp_path)
    (finding,) = examine("set5", lambda: check_set("set5", tmp_path))
    assert finding.state == "broken"
    assert "Set5 has 5 images" in finding.detail


def test_a_set_of_other_pixels_is_told(tmp_path: Path) -> None:
    for i in range(5):
        _save(tmp_path / "Set5" / f"{i}.png")
    (finding,) = check_set("set5", tmp_path)
    assert finding.state == "warning"
    assert "differ from the usual copy" in finding.detail


def test_grey_files_are_found(tmp_path: Path) -> None:
    grey, _ = _save(tmp_path / "a.png", "L"), _save(tmp_path / "b.png")
    assert grey_files(sorted(tmp_path.iterdir())) == [grey]


def test_the_shared_sets_are_whole_and_reproduce_their_rows(shared_data: Path) -> None:
    (finding,) = check_set("set14", shared_data)
    assert finding.state == "ok"
    assert "bridge.png has one channel" in finding.detail
    rows = list(bicubic_rows("set14", shared_data, scales=(2,)))
    assert {row.protocol for row in rows} == {"y", "y_only"}
    assert [finding.state for finding in check_rows(rows)] == ["ok"]


@pytest.mark.parametrize("name", ["set5", "set14", "bsd100", "urban100"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_every_set_has_published_rows(name: str, scale: int) -> None:
    rows = published_rows(name, scale)
    assert set(rows) == {"y", "y_only"}
    assert all(20 < value < 40 for value in rows.values())


def test_a_row_out_of_tolerance_is_broken() -> None:
    good, bad = BicubicRow("urban100", 3, "y_only", 24.46, 24.458), BicubicRow("urban100", 2, "y_only", 26.88, 26.57)
    assert good.reproduced and not bad.reproduced
    (finding,) = check_rows([good, bad])
    assert finding.state == "broken"
    assert finding.detail.startswith("x2 y_only -0.310 dB: not the images of")
