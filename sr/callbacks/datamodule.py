"""The images of a Lightning datamodule, as stages take them."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from sr.data.module import ImageData
from sr.runs.files import read_json
from sr.runs.identity import check_data
from sr.stages.stage_images import StageImages, pairs_hash


def images_of(data: ImageData, folder: Path) -> StageImages:
    """Return the images of a datamodule; nothing is read before it is asked for.

    Args:
        data: the datamodule.
        folder: of the run, whose training images are those that it was started with.
    """
    known = folder / "data.json"

    @cache
    def checked() -> ImageData:
        if known.is_file():
            check_data(folder, {"fingerprint": data.fingerprint()})
        return data

    def train_hash() -> str:
        found = read_json(known) if known.is_file() else {}
        return images_hash(found if "heldout_fingerprint" in found else described_images(data))

    return StageImages(
        calibration=lambda count, size: checked().calibration(count, size, data.lr_patch),
        stream=lambda iteration: checked().stream(iteration),
        heldout=data.val_dataloader,
        test_sets=lambda: data.test_sets,
        train_hash=train_hash,
        test_hashes=lambda: {name: pairs_hash(pairs) for name, pairs in data.test_sets.items()},
    )


def described_images(data: ImageData) -> dict[str, Any]:
    """Return what a run remembers of its training and held-out images."""
    return data.describe() | {"heldout_fingerprint": pairs_hash(data.val_pairs)}


def images_hash(described: dict[str, Any]) -> str:
    """Return the hash of training and held-out images."""
    both = described["fingerprint"] + described["heldout_fingerprint"]
    return hashlib.sha256(both.encode()).hexdigest()[:32]
