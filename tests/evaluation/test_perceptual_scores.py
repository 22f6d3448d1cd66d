"""Perceptual scores: values by their definitions, and what is said of a measure that cannot be had."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from sr import metrics
from sr.data.pairs import ImagePair
from sr.evaluation import PerceptualScores, evaluate, upscaler
from sr.evaluation.pristine import niqe, pristine
from sr.functional.resize import downscale
from sr.models.interpolation import Bicubic, Nearest

Y = metrics.protocol("y")


@pytest.fixture(scope="module")
def pairs() -> list[ImagePair]:
    from skimage import data

    images = {"coffee": data.coffee()[:240, :320], "cat": data.chelsea()[:240, :320]}
    return [ImagePair(name, downscale(hr, 4), np.ascontiguousarray(hr)) for name, hr in images.items()]


def test_rmse_is_what_psnr_says_and_niqe_that_of_the_cropped_image(pairs: list[ImagePair]) -> None:
    upscale = upscaler(Bicubic(scale=4))
    got = PerceptualScores(["rmse", "niqe"], Y, 4).evaluate(upscale, pairs)
    psnrs = [image.psnr_db for image in evaluate(upscale, pairs, Y, 4).per_image]
    assert got["rmse"] == pytest.approx(np.mean([255 * 10 ** (-psnr / 20) for psnr in psnrs]), rel=1e-9)
    assert got["niqe"] == pytest.approx(np.mean([niqe(upscale(p.lr)[4:-4, 4:-4], pristine()) for p in pairs]))


def test_true_images_are_more_natural_than_enlarged_ones(pairs: list[ImagePair]) -> None:
    scores = PerceptualScores(["niqe", "rmse"], Y, 4)
    true, nearest = scores.evaluate(None, pairs), scores.evaluate(upscaler(Nearest(scale=4)), pairs)
    assert true["rmse"] == 0 and true["niqe"] < nearest["niqe"]


def test_strips_of_a_large_image_give_the_rmse_of_the_whole(pairs, monkeypatch: pytest.MonkeyPatch) -> None:
    score = PerceptualScores(["rmse"], Y, 4)
    whole = score.evaluate(upscaler(Bicubic(scale=4)), pairs)["rmse"]
    monkeypatch.setattr("sr.evaluation.perceptual_scores.STRIP_PX", 7 * 312)
    assert score.evaluate(upscaler(Bicubic(scale=4)), pairs)["rmse"] == pytest.approx(whole, rel=1e-12)


def test_rgb_rmse_is_over_all_channels(pairs: list[ImagePair]) -> None:
    rgb = metrics.protocol("rgb")
    got = PerceptualScores(["rmse"], rgb, 4).evaluate(upscaler(Bicubic(scale=4)), pairs[:1])
    score = evaluate(upscaler(Bicubic(scale=4)), pairs[:1], rgb, 4)
    assert got["rmse"] == pytest.approx(255 * 10 ** (-score.psnr_db / 20))


@pytest.mark.parametrize("scale", [1.5, 4])
def test_blocks_of_nearest_neighbour_are_seen_and_those_of_bicubic_are_not(
    scale: float, pairs: list[ImagePair]
) -> None:
    scaled = [ImagePair(pair.name, downscale(pair.hr, scale), pair.hr) for pair in pairs]
    score = PerceptualScores(["border_ratio"], Y, scale)
    nearest = score.evaluate(upscaler(Nearest(scale=scale)), scaled)["border_ratio"]
    bicubic = score.evaluate(upscaler(Bicubic(scale=scale)), scaled)["border_ratio"]
    true = score.evaluate(None, scaled)["border_ratio"]
    assert nearest > 1.8 > 1.3 > bicubic and true == pytest.approx(1, abs=0.02)
    with pytest.raises(ValueError, match=r"border_ratio needs more than \d pixels a side within the border, got"):
        score.check_size(6, 40)


def test_an_image_that_is_too_small_is_named() -> None:
    pair = ImagePair("stamp", np.zeros((20, 20, 3), np.uint8), np.zeros((80, 80, 3), np.uint8))
    with pytest.raises(ValueError, match="stamp: NIQE needs at least 96x96 pixels, got 72x72"):
        PerceptualScores(["niqe"], Y, 4).evaluate(None, [pair])


def test_a_measure_without_brackets_is_told() -> None:
    with pytest.raises(ValueError, match=r"measures is a list, got 'niqe'; write measures=\[niqe\]"):
        PerceptualScores("niqe", metrics.protocol("y"), 2)


def test_unknown_measures_name_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown measures \['fid'\]; known: niqe .*rmse .*lpips .*pi "):
        PerceptualScores(["fid"], Y, 4)


def test_without_pyiqa_the_message_says_what_to_install(uninstall: Callable[[str], None]) -> None:
    uninstall("pyiqa")
    with pytest.raises(ValueError, match=r"pip install pyiqa.*remove pi from `measures`"):
        PerceptualScores(["pi"], Y, 4)


def test_without_network_the_message_says_what_lpips_needs(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_, **__):
        raise OSError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    with pytest.raises(ValueError, match=r"Download https://\S*alexnet\S*\.pth on a machine with network"):
        PerceptualScores(["lpips"], Y, 4)
    with pytest.raises(ValueError, match=r"DISTS needs VGG16's .*Download https://\S*vgg16\S*\.pth .*remove dists"):
        PerceptualScores(["dists"], Y, 4)
