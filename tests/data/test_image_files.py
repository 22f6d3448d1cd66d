"""Image files below a folder: found by their ending, LR versions and other files passed over in one line."""

import logging
from pathlib import Path

import pytest

from sr.data.image_files import find_images, image_names


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in find_images(folder)]


def test_images_are_found_at_every_depth_in_a_fixed_order(tmp_path: Path):
    for name in ("b/2.JPG", "a.png", "b/1.png", "b/.hidden.png", ".git/3.png", "notes.txt"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/4.png").touch()
    (tmp_path / "set/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set/loop").symlink_to(tmp_path / "set")
    found = [path.relative_to(tmp_path / "set").as_posix() for path in find_images(tmp_path / "set")]
    assert found == ["a.png", "b/1.png", "b/2.JPG", "linked/4.png"]


def test_an_empty_or_absent_folder_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="holds no image"):
        find_images(tmp_path)
    with pytest.raises(ValueError, match=r"no folder .*absent"):
        find_images(tmp_path / "absent")


def test_every_ending_that_can_be_read_is_found(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    names = ["a.AVIF", "b.jfif", "c.jp2", "d.tga", "e.webp", "f.tiff", "g.pgm", "h.jpe"]
    touch(tmp_path, *names)
    assert found(tmp_path) == names
    assert not caplog.messages


def test_what_is_passed_over_is_counted_in_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    touch(tmp_path, "a.png", "b.heic", "c/d.heic", "c/e.CR2", "LICENSE", ".hidden.heic", ".git/f.heic")
    with caplog.at_level(logging.WARNING):
        assert found(tmp_path) == ["a.png"]
    (line,) = caplog.messages
    assert line == f"{tmp_path}: passed over 4 files that are not read as images (2 .heic, 1 no ending, 1 .cr2)"
    (tmp_path / "a.png").unlink()
    with pytest.raises(ValueError, match=r"holds no image .* at any depth \(2 \.heic, 1 no ending, 1 \.cr2\)"):
        find_images(tmp_path)


@pytest.mark.parametrize(
    ("hr", "lr"),
    [
        ("DIV2K_train_HR", "DIV2K_train_LR_bicubic/X2"),
        ("DIV2K_train_HR", "DIV2K_train_LR_x8"),
        ("HR", "LR"),
        ("hr", "lr_x4"),
        ("HR", "X4"),
        ("GTmod12", "LRbicx2"),
        ("deep/train_HR", "deep/train_LR"),
    ],
)
def test_lr_folders_beside_hr_ones_are_passed_over_by_name(
    tmp_path: Path, hr: str, lr: str, caplog: pytest.LogCaptureFixture
):
    touch(tmp_path, f"{hr}/1.png", f"{lr}/1x2.png")
    with caplog.at_level(logging.WARNING):
        assert found(tmp_path) == [f"{hr}/1.png"]
    shown = lr.removesuffix("/X2")
    assert caplog.messages == [f"{tmp_path}: passed over LR versions beside their HR images: {shown}"]


@pytest.mark.parametrize("alone", ["DIV2K_test_LRx4/1.png", "LR/1.png", "HR/lrange.png", "X2/1.png", "1x2.png"])
def test_lr_names_without_hr_images_beside_them_are_images(tmp_path: Path, alone: str):
    touch(tmp_path, alone, "General100/2.png")
    assert alone in found(tmp_path)


@pytest.mark.parametrize(("hr", "lr"), [("1.png", "1x2.png"), ("a_HR.png", "a_LR.png"), ("b.png", "b_lr.jpg")])
def test_lr_files_beside_hr_ones_are_passed_over_by_name(
    tmp_path: Path, hr: str, lr: str, caplog: pytest.LogCaptureFixture
):
    touch(tmp_path, hr, lr)
    with caplog.at_level(logging.WARNING):
        assert found(tmp_path) == [hr]
    assert caplog.messages == [f"{tmp_path}: passed over LR versions beside their HR images: {lr}"]


def test_names_are_different_whatever_the_files_are_called(tmp_path: Path):
    for names in (["a.png", "b.png"], ["a.png", "a.bmp"], ["A.png", "a.png"], ["a.png", "a.bmp", "a.png.jpg"]):
        made = image_names([tmp_path / name for name in names], tmp_path)
        assert len({name.lower() for name in made}) == len(names) or names == ["A.png", "a.png"]
    assert image_names([tmp_path / "a.png", tmp_path / "c/a.png"], tmp_path) == ["a", "c/a"]
