"""Licences of the image sets that pretrained nets are trained on, and what their weights may be used for."""

from collections.abc import Iterable
from typing import NamedTuple


class ImageLicence(NamedTuple):
    """Licence of an image set, and the use of weights that are trained on it: "any", "research" or "terms"."""

    licence: str
    use: str


LICENCES = {
    "train/T91": ImageLicence("T91: none stated, academic use", "research"),
    "train/General100": ImageLicence("General100: none stated, academic use", "research"),
    "train/BSDS200": ImageLicence("BSDS: non-commercial research", "research"),
    "train/BSDS500_test": ImageLicence("BSDS: non-commercial research", "research"),
    "train/DIV2K_test_LRx4": ImageLicence("DIV2K: academic research only", "research"),
    "DIV2K_train_HR": ImageLicence("DIV2K: academic research only", "research"),
    "gaming_train": ImageLicence("Red Eclipse: CC-BY-SA 4.0", "terms"),
    "train/CC0_photos": ImageLicence("photographs: CC0 or public domain", "any"),
    "package:skimage/data": ImageLicence("scikit-image's photographs: CC0 or public domain", "any"),
}
"""Source of training images, as `data.sources` names it -> its licence."""


def licence_of(sources: Iterable[str]) -> str:
    """Return what weights may be used for, with the licences of the training images.

    Args:
        sources: Training images as a run names them.

    >>> licence_of(["train/CC0_photos"])
    'any use (photographs: CC0 or public domain)'
    >>> licence_of(["train/CC0_photos", "train/BSDS200"])
    'research only (photographs: CC0 or public domain; BSDS: non-commercial research)'
    >>> licence_of(["my_photos"])
    'as the training images allow (my_photos: licence not known here)'
    """
    names = list(dict.fromkeys(sources))
    known = [LICENCES.get(name, ImageLicence(f"{name}: licence not known here", "terms")) for name in names]
    listed = "; ".join(dict.fromkeys(each.licence for each in known)) or "training images not known"
    uses = {each.use for each in known}
    if "research" in uses:
        return f"research only ({listed})"
    return f"any use ({listed})" if uses == {"any"} else f"as the training images allow ({listed})"
