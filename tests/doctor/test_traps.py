"""Traps: each is set up once, and must be found."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr.doctor.finding import Finding
from sr.doctor.traps import (
    BSD100_NUMBERS,
    check_bsds,
    check_copies,
    check_lookalikes,
    check_urban,
    images_of_sets,
    training_images,
)
from sr.functional.resize import imresize


def _photo(seed: int, height: int = 256, width: int = 384) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 32, width // 32, 3), np.uint8)
    return imresize(coarse, 32)


def _save(path: Path, image: np.ndarray, **options: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **options)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A Set5 of its own, and three training images that show something else."""
    for i in range(5):
        _save(tmp_path / "test" / "Set5" / f"{i}.png", _photo(i))
    for i in range(3):
        _save(tmp_path / "train" / "mine" / f"{i}.png", _photo(100 + i))
    return tmp_path


def _only(findings: object) -> Finding:
    (finding,) = findings
    return finding


def test_training_images_are_those_outside_the_test_sets(root: Path) -> None:
    _save(root / "matlab_lr" / "Set5" / "x2" / "0x2.png", _photo(0, 32, 48))
    assert {path.parent.name for path in training_images(root)} == {"mine"}
    assert len(training_images(root)) == 3
    assert len(images_of_sets(root)) == 5


def test_a_clean_folder_has_no_finding_to_worry_about(root: Path) -> None:
    training, tests = training_images(root), images_of_sets(root)
    findings = [
        *check_bsds(training),
        *check_copies(training, tests),
        *check_lookalikes(training, tests),
        *check_urban(root),
    ]
    assert [finding.state for finding in findings] == ["ok", "ok", "ok"]


def test_bsds_val_is_found_by_its_file_names(root: Path) -> None:
    for number in ("3096", "101085"):
        _save(root / "BSDS500" / "val" / f"{number}.jpg", _photo(int(number)))
    finding = _only(check_bsds(training_images(root)))
    assert finding.state == "warning"
    assert "2 images of BSD100 are in" in finding.detail and "val" in finding.detail


def test_the_numbers_of_bsd100_are_a_hundred_and_none_of_the_training_images(shared_data: Path) -> None:
    assert len(BSD100_NUMBERS) == 100
    training = {path.stem for path in (shared_data / "train" / "BSDS200").iterdir()}
    assert len(training) == 199
    assert not training & BSD100_NUMBERS


def test_a_copy_of_a_test_image_is_found_whatever_its_name(root: Path) -> None:
    shutil.copy(root / "test" / "Set5" / "3.png", root / "train" / "mine" / "holiday.png")
    finding = _only(check_copies(training_images(root), images_of_sets(root)))
    assert finding.state == "warning"
    assert "holiday.png is Set5/3.png" in finding.detail


def test_a_test_image_saved_again_resized_and_trimmed_is_found(root: Path) -> None:
    _save(root / "train" / "mine" / "again.jpg", _photo(1), quality=60)
    _save(root / "train" / "mine" / "small.png", imresize(_photo(2), 0.5))
    _save(root / "train" / "mine" / "trimmed.png", _photo(3)[:-1, :-1])
    finding = _only(check_lookalikes(training_images(root), images_of_sets(root)))
    assert finding.state == "warning"
    assert finding.detail.startswith("3: ")
    assert all(
        pair in finding.detail
        for pair in ("again.jpg is Set5/1.png", "small.png is Set5/2.png", "trimmed.png is Set5/3")
    )


def test_a_test_image_in_16_bits_is_found(root: Path) -> None:
    grey = np.asarray(Image.fromarray(_photo(2)).convert("L")).astype(np.uint16) * 257
    Image.fromarray(grey).save(root / "train" / "mine" / "deep.png")
    finding = _only(check_lookalikes(training_images(root), images_of_sets(root)))
    assert "deep.png is Set5/2.png" in finding.detail


def test_flat_pictures_look_like_nothing(root: Path) -> None:
    for folder in ("train/mine", "test/Set5"):
        _save(root / folder / "4.png", np.zeros((32, 32, 3), np.uint8))
    assert _only(check_lookalikes(training_images(root), images_of_sets(root))).state == "ok"


def test_a_truncated_training_image_names_itself(root: Path) -> None:
    path = root / "train" / "mine" / "0.png"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"0\.png is truncated or damaged .*copy or download it again"):
        list(check_lookalikes(training_images(root), images_of_sets(root)))


def test_the_wrong_urban100_is_told(root: Path) -> None:
    _save(root / "Urban100" / "image_SRF_2" / "img_001_SRF_2_HR.png", _photo(0))
    finding = _only(check_urban(root))
    assert finding.state == "note"
    assert "other HR images" in finding.detail
    assert len(images_of_sets(root)) == 5  # an incomplete set does not stop the search
