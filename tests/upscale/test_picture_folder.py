"""A folder of pictures: any depth, finished ones skipped, broken ones named, no mixing."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from sr.data.image import read_image
from sr.upscale.one_picture import PictureSettings
from sr.upscale.picture_folder import upscale_folder

SETTINGS = PictureSettings(quality=None, max_megapixels=None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, one of them below, and a text."""
    source = tmp_path / "source"
    for number, name in enumerate(("a.png", "b.JPG", "below/c.bmp")):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(data.astronaut()[40 * number : 40 * number + 30, 100:140]).save(source / name)
    (source / "notes.txt").write_text("none")
    return source


def test_every_picture_below_is_upscaled_to_the_same_place(folder, tmp_path, net):
    result = upscale_folder(net, folder, tmp_path / "target", SETTINGS)
    assert (result.num_written, result.num_skipped, result.failed) == (3, 0, [])
    found = {path.relative_to(tmp_path / "target").as_posix() for path in (tmp_path / "target").rglob("*.*")}
    assert found == {"a.png", "b.JPG", "below/c.bmp", ".sr-upscale.json"}
    assert np.array_equal(read_image(tmp_path / "target/a.png"), net(read_image(folder / "a.png")))
    assert np.array_equal(read_image(tmp_path / "target/below/c.bmp"), net(read_image(folder / "below/c.bmp")))


def test_a_huge_picture_is_never_whole_in_memory_and_gives_the_same(folder, tmp_path, net, monkeypatch):
    upscale_folder(net, folder, tmp_path / "whole", SETTINGS)
    monkeypatch.setattr("sr.upscale.picture_folder.STREAMED_PX", 10)
    result = upscale_folder(net, folder, tmp_path / "streamed", SETTINGS)
    assert (result.num_written, result.failed) == (3, [])
    for name in ("a.png", "b.JPG", "below/c.bmp"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "streamed" / name).read_bytes()


def test_what_is_done_is_skipped_and_what_changed_is_made_anew(folder, tmp_path, net):
    target = tmp_path / "target"
    upscale_folder(net, folder, target, SETTINGS)
    kept = (target / "b.JPG").stat().st_mtime_ns
    later = (target / "a.png").stat().st_mtime_ns + 10**9
    os.utime(folder / "a.png", ns=(later, later))
    (target / "below/c.bmp").write_bytes((target / "below/c.bmp").read_bytes()[:20])
    result = upscale_folder(net, folder, target, SETTINGS)
    assert (result.num_written, result.num_skipped) == (2, 1)
    assert (target / "b.JPG").stat().st_mtime_ns == kept
    assert read_image(target / "below/c.bmp").shape == (60, 80, 3)


def test_a_broken_file_is_named_and_the_rest_goes_on(folder, tmp_path, net, capsys):
    (folder / "a.png").write_bytes((folder / "a.png").read_bytes()[:200])
    (folder / "empty.png").touch()
    result = upscale_folder(net, folder, tmp_path / "target", SETTINGS)
    assert (result.num_written, len(result.failed)) == (2, 2)
    assert "a.png is truncated or damaged" in result.failed[0] and "empty.png is not an image" in result.failed[1]
    assert "failed: " in capsys.readouterr().err
    assert not list((tmp_path / "target").glob("a.png*"))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (".", "is the source itself"),
        ("target", "one is inside the other"),
        ("..", "one is inside the other"),
        ("a.png", "is a file, and"),
        ("link", "is the source itself"),
    ],
)
def test_source_and_target_are_apart(folder, net, target, message):
    (folder / "link").symlink_to(folder)
    before = sorted(folder.rglob("*"))
    with pytest.raises(ValueError, match=message):
        upscale_folder(net, folder, folder / target, SETTINGS)
    assert sorted(folder.rglob("*")) == before


def test_pictures_of_two_nets_are_not_mixed(folder, tmp_path, net, int8_net):
    upscale_folder(net, folder, tmp_path / "target", SETTINGS)
    with pytest.raises(ValueError, match=r"holds pictures made with .*fp32.* and now it is .*int8.*; give another"):
        upscale_folder(int8_net, folder, tmp_path / "target", SETTINGS)


def test_two_pictures_with_one_target_and_no_picture_are_refused(folder, tmp_path, net):
    Image.open(folder / "a.png").save(folder / "a.ppm")
    with pytest.raises(ValueError, match=r"a\.png and .*a\.ppm would both become .*a\.png; rename one"):
        upscale_folder(net, folder, tmp_path / "target", SETTINGS)
    shutil.rmtree(folder)
    folder.mkdir()
    with pytest.raises(ValueError, match="holds no pictures; their endings are"):
        upscale_folder(net, folder, tmp_path / "target", SETTINGS)


def test_a_place_that_cannot_be_made_is_named(folder, tmp_path, net):
    target = tmp_path / "target"
    target.mkdir()
    (target / "below").touch()  # a file where a folder has to be
    result = upscale_folder(net, folder, target, SETTINGS)
    assert len(result.failed) == 1 and "below is no folder" in result.failed[0]
