"""What the data module refuses or names before training: leaks, and test sets that cannot be scored."""

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage
from PIL import Image

from sr.data.module import ImageData
from sr.experiment import compose, made
from sr.metrics import protocol


def data_of(folder: Path, **changes: Any) -> ImageData:
    values = {"root": folder, "test_root": folder, "lr_patch": 8, "batch_size": 4, "cache": os.environ["SR_CACHE"]}
    config = compose(["data=folder"])
    for key, value in (values | changes).items():
        config.data[key] = str(value) if isinstance(value, Path) else value
    return made(config.data)


def check(images: ImageData, *, min_lr: int = 1, learned: bool = True) -> None:
    def check_size(height: int, width: int) -> None:
        protocol("y").check_size(height, width, 2)

    images.check(check_size=check_size, min_lr=min_lr, learned=learned)


def test_nothing_is_calibrated_on_a_test_image(folder: Path):
    (folder.parent / "mine").mkdir()
    (folder.parent / "mine" / "copy.png").write_bytes((folder / "03.png").read_bytes())
    images = data_of(folder, test=["mine"], test_root=str(folder.parent))
    message = r"1 training images are images of test set mine \(03 is copy\); .* data.sources"
    for learn in (lambda: images.calibration(1, 1), lambda: check(images)):
        with pytest.raises(ValueError, match=message):
            learn()
    check(images, learned=False)  # to score on them is all right
    other = np.array(Image.open(folder / "03.png"))
    other[0, 0, 0] ^= 1
    Image.fromarray(other).save(folder.parent / "mine" / "copy.png")
    assert len(data_of(folder, test=["mine"], test_root=str(folder.parent)).calibration(1, 1)) == 1


def test_a_test_image_among_the_training_images_is_told(folder: Path, caplog: pytest.LogCaptureFixture):
    (folder.parent / "mine").mkdir()
    gradient = np.add.outer(np.arange(64), 2 * np.arange(64)).astype(np.uint8)
    Image.fromarray(gradient).save(folder / "12.png")
    Image.fromarray(gradient[:-1]).save(folder.parent / "mine" / "copy.png")
    images = data_of(folder, test=["mine"], test_root=str(folder.parent), val_crop=None)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            check(images)
    (line, _) = caplog.messages
    assert line == "1 training images look like images of mine, so its score may be too high: 12 looks like copy"


def test_copies_of_held_out_images_are_named_before_training(folder: Path, caplog: pytest.LogCaptureFixture):
    Image.open(folder / "04.png").save(folder / "04.bmp")
    with caplog.at_level(logging.WARNING):
        check(data_of(folder, heldout_every=5))
    (line,) = caplog.messages
    assert line == "1 training images are images of the held-out images, so its score is too high: 04.png is 04.bmp"


def test_lr_versions_of_held_out_images_are_named(folder: Path, caplog: pytest.LogCaptureFixture):
    photo = Image.fromarray(skimage.data.astronaut())
    photo.save(folder / "09.png")
    (folder / "small").mkdir()
    photo.resize((256, 256), Image.Resampling.BICUBIC).save(folder / "small/x.png")
    with caplog.at_level(logging.WARNING):
        check(data_of(folder))
    assert caplog.messages == [
        "1 training images look like images of the held-out images, so its score may be too high: small/x looks like 09"
    ]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"b.png": None}, r"1 of 2 images cannot be used:\n.*b\.png is not an image"),
        ({"b.png": (14, 14)}, r"test set mine: 1 images cannot be scored:\n  b: an image of 14x14 pixels is too small"),
        ({"b.png": (30, 18)}, r"mine: 1 images cannot be scored:\n  b: its LR version has 9x15 pixels, the net"),
    ],
)
def test_test_sets_that_cannot_be_scored_are_told_before_training(
    folder: Path, made: dict[str, tuple[int, int] | None], message: str
):
    (folder / "mine").mkdir()
    Image.new("RGB", (64, 64)).save(folder / "mine/a.png")
    for name, size in made.items():
        (folder / "mine" / name).write_text("x") if size is None else Image.new("RGB", size).save(
            folder / "mine" / name
        )
    with pytest.raises(ValueError, match=message):
        check(data_of(folder, test=["mine"], sources=[{"path": ".", "files": ["00.png", "01.png"]}]), min_lr=10)


def test_a_validation_crop_that_is_too_small_is_told_before_training(folder: Path):
    with pytest.raises(ValueError, match=r"validation with data\.val_crop=3: 1 images cannot be scored"):
        check(data_of(folder, val_crop=3))


def test_larger_images_are_read_by_a_setting(folder: Path):
    with pytest.raises(ValueError, match=r"12 of 12 images cannot be used:\n.*00\.png has 64x60"):
        _ = data_of(folder, max_megapixels=0.001, cache=str(folder.parent / "cache")).train_pairs
    with pytest.raises(ValueError, match=r"machine\.max_megapixels is a number above 0, got 0"):
        data_of(folder, max_megapixels=0)
