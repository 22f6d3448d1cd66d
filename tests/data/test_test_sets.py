"""Test sets in the layouts in which people have them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr.data.cache import SourceImage, decoded
from sr.data.leaks import lookalikes
from sr.data.test_sets import KNOWN, find_set, pixels_hash


def fill(folder: Path, names: Iterable[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize("place", ["Set5", "test/set5", "benchmark/SET5", "testsets/Set5", "Set5/HR", "Set5/GTmod12"])
def test_usual_layouts(tmp_path: Path, place: str):
    fill(tmp_path / place, [f"{i}.png" for i in range(5)])
    fill(tmp_path / place, ["0_LR.png", "0_bicubic.png", "readme.txt"])
    fill((tmp_path / place).parent / "LR_bicubic" / "X2", ["0x2.png"])
    assert [path.name for path in find_set("set5", tmp_path, 2)] == [f"{i}.png" for i in range(5)]


@pytest.mark.parametrize(("scale", "folder"), [(2, 2), (3, 3), (4, 4), (1.5, 4)])
def test_selfexsr_layout_takes_the_scale_s_own_folder(tmp_path: Path, scale: float, folder: int):
    for n in (2, 3, 4):
        files = [f"img_{i:03}_SRF_{n}_{kind}.png" for i in range(5) for kind in ("HR", "LR", "SRCNN", "bicubic")]
        fill(tmp_path / "Set5" / f"image_SRF_{n}", files)
    found = find_set("Set5", tmp_path, scale)
    assert [path.name for path in found] == [f"img_{i:03}_SRF_{folder}_HR.png" for i in range(5)]


def test_urban100_is_srf_4_at_every_scale(tmp_path: Path):
    fill(tmp_path / "Urban100/image_SRF_2", [f"img_{i:03}_SRF_2_HR.png" for i in range(100)])
    with pytest.raises(ValueError, match=r"image_SRF_2, but the images of image_SRF_4 are used at every scale"):
        find_set("urban100", tmp_path, 2)
    fill(tmp_path / "Urban100/image_SRF_4", [f"img_{i:03}_SRF_4_HR.png" for i in range(100)])
    assert {path.parent.name for path in find_set("urban100", tmp_path, 2)} == {"image_SRF_4"}


def test_the_validation_images_of_div2k_are_test_sets_too(tmp_path: Path):
    names = [f"{i:04}.png" for i in range(801, 901)]
    fill(tmp_path / "downloads/DIV2K_valid_HR", names)
    found = {name: find_set(name, tmp_path, 2, tmp_path / "downloads") for name in ("div2k_val", "div2k_90")}
    assert {name: [path.name for path in each] for name, each in found.items()} == {
        "div2k_val": names,
        "div2k_90": names[:90],
    }
    fill(tmp_path / "div2k_90", names[5:95])
    assert find_set("div2k_90", tmp_path, 2)[0].name == "0806.png", "a folder of its own wins"
    fill(tmp_path / "other/DIV2K_valid_HR", names[:99])
    with pytest.raises(ValueError, match=r"DIV2K validation has 100 images, but .* holds 99"):
        find_set("div2k_val", tmp_path / "other", 2)


def test_a_missing_set_tells_where_it_looked(tmp_path: Path):
    with pytest.raises(ValueError, match=rf"'set5' is not in {tmp_path}, {tmp_path}/test, .*data\.test_root"):
        find_set("set5", tmp_path, 2)


def test_a_part_of_a_known_set_is_refused(tmp_path: Path):
    fill(tmp_path / "Set5", [f"{i}.png" for i in range(4)])
    with pytest.raises(ValueError, match=r"Set5 has 5 images, but .* holds 4"):
        find_set("set5", tmp_path, 2)


def test_any_folder_can_be_a_set(tmp_path: Path):
    fill(tmp_path / "holiday", ["a.jpg"])
    assert [path.name for path in find_set("Holiday", tmp_path, 2)] == ["a.jpg"]
    fill(tmp_path / "empty", [])
    with pytest.raises(ValueError, match="empty holds no HR image"):
        find_set("empty", tmp_path, 2)


@pytest.mark.parametrize("name", ["set5", "set14", "bsd100", "gaming_test"])
def test_the_real_sets_are_the_ones_measured(shared_data: Path, name: str):
    assert pixels_hash(find_set(name, shared_data, 2)) == KNOWN[name].pixels_sha256


def test_the_hash_of_a_set_ignores_names_and_file_formats(tmp_path: Path):
    rng = np.random.default_rng(0)
    pictures = [Image.fromarray(rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)) for _ in range(2)]
    for folder, names in (("a", ["0.png", "1.png"]), ("b", ["y.bmp", "x.tif"])):
        (tmp_path / folder).mkdir()
        for picture, name in zip(pictures, names, strict=True):
            picture.save(tmp_path / folder / name)
    assert pixels_hash((tmp_path / "a").iterdir()) == pixels_hash((tmp_path / "b").iterdir())
    pictures[0].putpixel((0, 0), (0, 0, 0))
    pictures[0].save(tmp_path / "a/0.png")
    assert pixels_hash((tmp_path / "a").iterdir()) != pixels_hash((tmp_path / "b").iterdir())


def test_a_crop_saved_as_jpeg_is_recognised(shared_data: Path, tmp_path: Path):
    def opened(paths: list[Path]):
        return decoded([SourceImage(p.stem, p, None) for p in paths], scale=2, shrink=1, cache=tmp_path / "cache")

    files = find_set("set5", shared_data, 2)
    with Image.open(files[0]) as image:
        image.convert("RGB").crop((0, 0, image.width - 2, image.height - 3)).save(tmp_path / "copy.jpg")
    others = opened([tmp_path / "copy.jpg", *find_set("set14", shared_data, 2)[:3]])
    theirs = opened(files)
    found = lookalikes([(others, range(len(others)))], [(theirs, range(len(theirs)))])
    assert found == [("copy", files[0].stem)]
