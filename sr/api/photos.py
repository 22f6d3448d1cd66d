"""Photographs in the forms that a user has them: as pairs to score, and as images to calibrate on."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sr.data.calibration_crops import calibration_crops
from sr.data.decode import SourceImage, decode, resized
from sr.data.image_files import find_images
from sr.data.pairs import ImagePair, Pairs, Selection, centre_crop
from sr.data.patches import PatchStream
from sr.data.sources import named_by_place, source_of
from sr.functional.resize import as_ratio
from sr.models.net import Net
from sr.stages.stage_images import StageImages, pairs_hash

Photos = str | Path | Sequence[Any]
"""A folder; or uint8 arrays (H, W, 3), PIL images or files, which are HR; or pairs of arrays (lr, hr)."""
MAX_PHOTOS = 32
MAX_SIDE = 1024  # HR pixels: with MAX_PHOTOS at most 130 MB, and ranges settle far earlier
HELDOUT_EVERY = 10


class FilePairs(Pairs):
    """Pairs of image files, read at each access; the files are HR.

    Args:
        images: The files.
        scale: HR size / LR size.
    """

    def __init__(self, images: Sequence[SourceImage], scale: Fraction) -> None:
        self.images, self.scale = images, scale

    def __len__(self) -> int:
        return len(self.images)

    def pair(self, index: int) -> ImagePair:
        """Return one pair; its LR image is MATLAB's bicubic of the HR one."""
        return decode(self.images[index], scale=self.scale, shrink=Fraction(1))


def embedded_photos(sources: Sequence[Any]) -> list[Path]:
    """Return the photographs inside scikit-image.

    Args:
        sources: Those of conf/data/photos.yaml.
    """
    return [image.path for source in sources for image in source_of(source).images(Path())]


def pairs_of(photos: Photos, scale: float) -> Sequence[ImagePair]:
    """Return photographs as pairs of whole images.

    Args:
        photos: See `Photos`.
        scale: HR size / LR size.

    Raises:
        ValueError: No photograph, not a photograph, or a pair that is not of this scale.
    """
    ratio = as_ratio(scale)
    if isinstance(photos, str | Path):
        place = Path(photos)
        files = [place] if place.is_file() else find_images(place)
        return FilePairs(named_by_place(files, place if place.is_dir() else place.parent), ratio)
    if not photos:
        raise ValueError("there are no photographs; give a folder or a list of images")
    return [_pair(photo, f"photo_{index}", ratio) for index, photo in enumerate(photos)]


def _pair(photo: Any, name: str, scale: Fraction) -> ImagePair:
    if isinstance(photo, ImagePair):
        return photo
    if isinstance(photo, str | Path):
        return decode(SourceImage(Path(photo).name, Path(photo), None), scale=scale, shrink=Fraction(1))
    if isinstance(photo, tuple):
        lr, hr = (_pixels(each, name) for each in photo)
        if hr.shape[:2] != tuple(side * scale for side in lr.shape[:2]):
            raise ValueError(f"{name} pairs {lr.shape[:2]} with {hr.shape[:2]} pixels, which is not x{float(scale):g}")
        return ImagePair(name, lr, hr)
    hr, lr = resized(_pixels(photo, name), scale, Fraction(1))
    return ImagePair(name, lr, hr)


def _pixels(photo: Any, name: str) -> np.ndarray:
    array = np.asarray(photo.convert("RGB") if isinstance(photo, Image.Image) else photo)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise ValueError(f"{name}: an RGB image (H, W, 3) of type uint8 is needed, got {array.shape} of {array.dtype}")
    return array


def stage_images(photos: Photos, net: Net, settings: Any) -> StageImages:
    """Return photographs as the images of the stages: the middles of up to `MAX_PHOTOS`, a tenth of them held out.

    Args:
        photos: See `Photos`.
        net: That they are for.
        settings: Mapping with `batch_size`, `lr_patch`, `sampling` and `seed`.

    Raises:
        ValueError: As in `pairs_of`.
    """
    whole = pairs_of(photos, net.scale)
    chosen = np.linspace(0, len(whole) - 1, min(len(whole), MAX_PHOTOS)).round().astype(int)
    pairs = [centre_crop(whole[int(index)], net.scale, MAX_SIDE) for index in chosen]
    heldout = pairs[::HELDOUT_EVERY]
    train = [pair for index, pair in enumerate(pairs) if index % HELDOUT_EVERY] or pairs
    multiple = int(net.size_multiple)
    lr_patch = -(-max(settings["lr_patch"], net.min_size) // multiple) * multiple
    cut = {"lr_patch": lr_patch, "scale": net.scale, "sampling": settings["sampling"], "seed": settings["seed"]}

    def stream(iteration: int) -> PatchStream:
        large = Selection(train, [i for i, pair in enumerate(train) if min(pair.lr.shape[:2]) >= lr_patch])
        steps = {"batch_size": settings["batch_size"], "start": iteration, "rows": (0, 1), "augment": True}
        return PatchStream(pairs=large, **steps, **cut)

    return StageImages(
        calibration=lambda count, size: calibration_crops(train, num_batches=count, batch_size=size, **cut),
        stream=stream,
        heldout=lambda: heldout,
        test_sets=lambda: {"photos": [*heldout, *train]},
        train_hash=lambda: pairs_hash(pairs),
        test_hashes=lambda: {"photos": pairs_hash(pairs)},
    )
