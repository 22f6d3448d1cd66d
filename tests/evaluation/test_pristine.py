"""The shipped model of pristine photographs: whole, with its provenance, and telling good pictures from bad ones."""

import re

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage import data

from sr.evaluation import pristine as module
from sr.evaluation.pristine import fit_pristine, image_features, niqe, pristine
from sr.functional.color import image_luma
from sr.functional.niqe import block_features


def test_the_shipped_model_is_whole_and_says_where_it_comes_from() -> None:
    model = pristine()
    assert model.mean.shape == (36,) and model.covariance.shape == (36, 36)
    assert np.linalg.eigvalsh(model.covariance).min() > -1e-6, "a covariance"
    assert model.provenance["num_blocks"] > 5 * 36 and "CC0" in model.provenance["licence_of_the_photographs"]
    assert len(model.provenance["files"]) > 30
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in model.provenance["files"].values())


def test_damage_makes_a_photograph_less_natural() -> None:
    photograph = data.chelsea()
    random = np.random.default_rng(0)
    blurred = gaussian_filter(photograph.astype(float), (2, 2, 0)).astype(np.uint8)
    noisy = np.clip(photograph + random.normal(0, 25, photograph.shape), 0, 255).astype(np.uint8)
    blocky = photograph[::4, ::4].repeat(4, 0).repeat(4, 1)
    clean, *damaged = (niqe(image, pristine()) for image in (photograph, blurred, noisy, blocky))
    assert all(value > clean + 1 for value in damaged), (clean, damaged)


def test_strips_of_a_large_image_give_the_features_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    photograph = np.tile(data.chelsea()[:290, :300], (2, 1, 1))
    features, sharpness = block_features(image_luma(photograph))
    for rows in (1, 2, 4):
        monkeypatch.setattr(module, "STRIP_PX", rows * 96 * 300)
        got = image_features(photograph)
        np.testing.assert_allclose(got[0], features, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(got[1], sharpness, rtol=1e-9)


def test_fit_takes_sharp_blocks_only() -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (192, 288, 3), np.uint8)
    image[:96] = 128
    mean, covariance, count = fit_pristine([image, image])
    assert count == 6, "the lower three of each image"
    assert mean.shape == (36,) and covariance.shape == (36, 36)
