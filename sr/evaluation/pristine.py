"""Reference model of NIQE (statistics of pristine photographs), included as `pristine.json`.

It is fitted on 38 CC0 photographs, because the images of the original model may not be redistributed. Compare its
scores only with each other, not with those of the original model. Fit another model with

    python -m sr.evaluation.pristine FOLDER --shrink 3 --licence CC0
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sr.data.image import read_image
from sr.data.image_files import find_images
from sr.functional.color import image_luma
from sr.functional.niqe import BLOCK_PX, block_features, distance
from sr.functional.resize import downscale
from sr.runs.files import read_json, sha256, write_json

FILE = Path(__file__).with_name("pristine.json")
STRIP_PX = 2**20
"""Pixels of a strip; a larger image is scored strip by strip."""
SHARP = 0.75  # a block counts if its sharpness exceeds this share of the image's maximum (section III-B of the paper)


@dataclass(frozen=True)
class Pristine:
    """Mean (36,) and covariance (36, 36) of the features of pristine blocks, and their provenance."""

    mean: np.ndarray
    covariance: np.ndarray
    provenance: dict[str, Any]


@cache
def pristine() -> Pristine:
    """Return the included model."""
    content = read_json(FILE)
    return Pristine(np.array(content["mean"]), np.array(content["covariance"]), content["provenance"])


def niqe(image: np.ndarray, model: Pristine) -> float:
    """Return NIQE of an image: at least 0, lower is more natural.

    Args:
        image: (H, W, 3) uint8 RGB, at least 96x96 pixels.
        model: The reference model.

    Raises:
        ValueError: If the image is smaller.
    """
    features, _ = image_features(image)
    return distance(model.mean, model.covariance, features)


def image_features(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `block_features` of the luma of an image, strip by strip with a row of blocks around: memory is bounded.

    Args:
        image: (H, W, 3) uint8 RGB, at least 96x96 pixels.

    Raises:
        ValueError: If the image is smaller.
    """
    num_rows, step = max(1, image.shape[0] // BLOCK_PX), max(1, STRIP_PX // (BLOCK_PX * image.shape[1]))
    strips = []
    for top in range(0, num_rows, step):
        first, last = max(0, top - 1), min(num_rows, top + step + 1)
        y = image_luma(image[first * BLOCK_PX : last * BLOCK_PX])
        strips.append(block_features(y, slice(top - first, min(top + step, num_rows) - first)))
    features, sharpness = zip(*strips, strict=True)
    return np.concatenate(features), np.concatenate(sharpness)


def fit_pristine(images: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray, int]:
    """Fit the reference model to the sharp blocks of images.

    Args:
        images: (H, W, 3) uint8 RGB each.

    Returns:
        Mean (36,), covariance (36, 36) and the number of blocks.
    """
    kept = []
    for image in images:
        features, sharpness = image_features(image)
        kept.append(features[sharpness > SHARP * sharpness.max()])
    blocks = np.concatenate(kept)
    return blocks.mean(0), np.cov(blocks, rowvar=False), len(blocks)


def main() -> None:
    """Fit the model to a folder of photographs and write it with its provenance."""
    parser = argparse.ArgumentParser(prog="python -m sr.evaluation.pristine", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of pristine photographs, at any depth")
    parser.add_argument("--shrink", type=int, default=1, help="factor to downscale by first, against JPEG artefacts")
    parser.add_argument("--licence", required=True, help="licence of the photographs, for the provenance")
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    files = find_images(options.folder)
    images = (read_image(path) for path in files)
    small = (downscale(each, options.shrink) if options.shrink > 1 else each for each in images)
    mean, covariance, count = fit_pristine(small)
    provenance = {
        "what": "NIQE model of pristine photographs, fitted by python -m sr.evaluation.pristine",
        "licence_of_the_photographs": options.licence,
        "shrink": options.shrink,
        "num_blocks": count,
        "files": {path.name: sha256(path) for path in files},
    }
    rounded = {"mean": mean.round(9).tolist(), "covariance": [row.round(9).tolist() for row in covariance]}
    write_json(options.out, {"provenance": provenance, **rounded})
    print(f"{count} blocks of {len(files)} photographs -> {options.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
