"""Where training images come from."""

import sys
from pathlib import Path

import pytest
from PIL import Image

from sr.data.sources import Source


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("hr/0001.png", "hr/sub/0002.jpg", "lr/0001x2.png", "lr/sub/0002.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    return tmp_path


def test_a_folder_is_searched_at_every_depth(root: Path):
    images = Source(path="hr").images(root)
    assert [image.name for image in images] == ["0001", "sub/0002"]
    assert [image.path for image in images] == [root / "hr/0001.png", root / "hr/sub/0002.jpg"]
    assert Source(path=str(root / "hr")).images(Path("elsewhere")) == images


def test_chosen_files_only(root: Path):
    assert [image.name for image in Source(path="hr", files=["sub/0002.jpg"]).images(root)] == ["sub/0002"]
    with pytest.raises(ValueError, match=r"hr has no file 0003\.png"):
        Source(path="hr", files=["0001.png", "0003.png"]).images(root)


def test_lr_images_have_the_same_names_or_the_scale_appended(root: Path):
    images = Source(path="hr", lr="lr").images(root)
    assert [image.lr_path for image in images] == [root / "lr/0001x2.png", root / "lr/sub/0002.png"]
    (root / "lr/sub/0002.png").unlink()
    with pytest.raises(ValueError, match=r"no LR image sub/0002 in lr"):
        Source(path="hr", lr="lr").images(root)


def test_an_lr_image_belongs_to_one_hr_image(tmp_path: Path):
    for name in ("hr/a/1.png", "hr/b/1.png", "lr/a/1.png", "lr/b/1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    assert [image.lr_path for image in Source(path="hr", lr="lr").images(tmp_path)] == [
        tmp_path / "lr/a/1.png",
        tmp_path / "lr/b/1.png",
    ]
    for doubled in ("hr/a/1.jpg", "lr/b/1.bmp"):
        Image.new("RGB", (8, 8)).save(tmp_path / doubled)
        with pytest.raises(ValueError, match=r"/1\.\w+ and .*/1\.\w+ have the same name"):
            Source(path="hr", lr="lr").images(tmp_path)
        (tmp_path / doubled).unlink()


def test_a_source_is_not_enlarged():
    with pytest.raises(ValueError, match=r"shrink of data source photos is a number of at least 1, got 0\.5"):
        Source(path="photos", shrink=0.5)


def test_a_share_of_the_images_is_evenly_chosen_and_nested(tmp_path: Path):
    for number in range(8):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number}.png")

    def names(share: float) -> str:
        return "".join(image.name for image in Source(path=".", share=share).images(tmp_path))

    assert [names(share) for share in (1, 0.5, 0.25, 0.01)] == ["01234567", "0246", "04", "0"]
    with pytest.raises(ValueError, match=r"data\.share must be above 0 and at most 1, got 0"):
        Source(path=".", share=0)


def test_a_folder_inside_a_package_is_found_without_importing_it():
    sys.modules.pop("skimage", None)
    images = Source(path="package:skimage/data", files=["astronaut.png"]).images(Path("anywhere"))
    assert images[0].path.is_file()
    assert "skimage" not in sys.modules


def test_what_is_missing_is_told(tmp_path: Path):
    with pytest.raises(
        ValueError, match="package 'nosuchpackage' of source 'package:nosuchpackage/data' is not installed"
    ):
        Source(path="package:nosuchpackage/data").images(tmp_path)
    with pytest.raises(ValueError, match=r"no folder .*absent"):
        Source(path="absent").images(tmp_path)
