"""The model of pristine photographs that NIQE measures against: fitted once, shipped as `pristine.json`.

Ours is fitted on 38 CC0 photographs, because the original's images cannot be shipped: figures taken with it compare
among themselves, not with those of the original model. Fit another with

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
from sr.functional.niqe import block_features, distance
from sr.functional.resize import downscale
from sr.runs.files import read_json, sha256, write_json

FILE = Path(__file__).with_name("pristine.json")
SHARP = 0.75  # a block is used where it is this sharp beside the image's sharpest: section III-B of the source


@dataclass(frozen=True)
class Pristine:
    """Mean (36,) and covariance (36, 36) of the features of pristine blocks, and where they come from."""

    mean: np.ndarray
    covariance: np.ndarray
    provenance: dict[str, Any]


@cache
def pristine() -> Pristine:
    """The shipped model."""
    content = read_json(FILE)
    return Pristine(np.array(content["mean"]), np.array(content["covariance"]), content["provenance"])


def niqe(image: np.ndarray, model: Pristine) -> float:
    """NIQE of an image: 0 or more, lower is more natural.

    Args:
        image: (H, W, 3) uint8 RGB, 96 x 96 pixels at least.
        model: what to measure against.

    Raises:
        ValueError: a smaller image.
    """
    features, _ = block_features(image_luma(image))
    return distance(model.mean, model.covariance, features)


def fit(images: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray, int]:
    """Fit mean and covariance to the sharp blocks of images (H, W, 3) uint8; the third value counts the blocks."""
    kept = []
    for image in images:
        features, sharpness = block_features(image_luma(image))
        kept.append(features[sharpness > SHARP * sharpness.max()])
    blocks = np.concatenate(kept)
    return blocks.mean(0), np.cov(blocks, rowvar=False), len(blocks)


def main() -> None:
    """Fit the model on a folder of photographs and write it with its provenance."""
    parser = argparse.ArgumentParser(prog="python -m sr.evaluation.pristine", description=__doc__)
    parser.add_argument("folder", type=Path, help="of pristine photographs, at any depth")
    parser.add_argument("--shrink", type=int, default=1, help="downscale by this first; removes JPEG's artefacts")
    parser.add_argument("--licence", required=True, help="of the photographs, for the provenance")
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    files = find_images(options.folder)
    images = (read_image(path) for path in files)
    mean, covariance, count = fit(downscale(each, options.shrink) if options.shrink > 1 else each for each in images)
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
