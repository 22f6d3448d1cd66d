"""Find the HR images of a test set by its name, in the usual folder layouts."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from sr.data.image import ENDINGS, read_image
from sr.data.image_files import log_passed_over, split_by_ending
from sr.data.pairs import ImagePair
from sr.data.video.video_clips import CLIP_ENDINGS
from sr.functional.resize import as_ratio

TEST_SET_FOLDERS = ("", "test", "benchmark", "testsets")
"""Folders below the root that may contain a test set."""
_HR_FOLDERS = ("hr", "gtmod12", "original", "gt")
_MADE_FROM_HR = ("_lr", "_bicubic", "_nearest", "_glasner", "_kim", "_sco", "_srcnn", "_selfexsr", "_srf_2_lr")
_SHOWN = 8  # problems listed in a message


class KnownSet(NamedTuple):
    """A test set that papers use."""

    title: str
    num_images: int
    pixels_sha256: str | None
    """`pixels_hash` of the images that this project uses; None if it is not known."""
    srf: int | None
    """n of the folder `image_SRF_<n>` with the right HR images, if the other folders have different ones."""
    source: str | None = None
    """Name of the folder whose first images, in order of their names, are the set. A folder of the set's name wins."""


KNOWN = {
    "set5": KnownSet("Set5", 5, "56d899b36425f6e2932d723ffc58806b5f82e6731427bb2990b7d877f2ea3f95", None),
    "set14": KnownSet("Set14", 14, "f58a95f24549c95a1b265e155b020c6b54038fe4e3761f7de613678f0ca76a2f", None),
    "bsd100": KnownSet("BSD100", 100, "74b75001187461d0cb0c49e58b7f1d6ebbfd397234d9f9c0d975fa353cf09007", None),
    # SelfExSR's SRF_2 folder holds other HR images: bicubic x2 gives 26.57 dB there, 26.87 on SRF_4, 26.88 in papers.
    "urban100": KnownSet("Urban100", 100, None, 4),
    "manga109": KnownSet("Manga109", 109, None, None),
    "div2k_val": KnownSet("DIV2K validation", 100, None, None, "DIV2K_valid_HR"),
    "div2k_90": KnownSet("DIV2K-90", 90, None, None, "DIV2K_valid_HR"),  # MESRGAN's; its poster does not say which 90
    "gaming_test": KnownSet("gaming_test", 5, "351d73da3e1eddc41bd9d8492527418709672ba2a49f70bc6578eb528da85d64", None),
}


def find_set(name: str, root: Path, scale: int | float, also: Path | None = None) -> list[Path]:
    """Return the HR files of a test set.

    A set is a folder of its name (in any case) below the root or one of `TEST_SET_FOLDERS`. The images are in the
    folder itself, in `HR`, or in `image_SRF_<n>` as in SelfExSR and its copies. LR images beside them are skipped.

    Args:
        name: "set5", "urban100", ..., or the name of any folder of images.
        root: Folder to search.
        scale: Upscaling factor, which selects a folder `image_SRF_<n>`.
        also: Another folder to search for a set that is a part of published training data, such as "div2k_val".

    Raises:
        ValueError: If the set is missing or incomplete, or has another layout.
    """
    known = KNOWN.get(name.lower())
    source = known.source if known else None
    folder = _folder(name, root, also if source else None, source)
    files = _hr_files(folder, known, as_ratio(scale))
    if known and known.source and folder.name.lower() == known.source.lower():
        files = files[: known.num_images]
    if known and len(files) != known.num_images:
        raise ValueError(
            f"{known.title} has {known.num_images} images, but {files[0].parent} holds {len(files)}; scores of "
            "an incomplete set are not comparable: complete it, or rename the folder"
        )
    return files


def has_folder(name: str, root: Path, also: Path | None = None) -> bool:
    """Return whether a folder of this name, in any case, is where test sets are looked for."""
    return _named_folder([name], _places(root, also)) is not None


def find_clip_set(name: str, root: Path) -> Path | None:
    """Return the folder of a test set that consists of clips; None for a set of still images, or none at all.

    Args:
        name: Of the folder, in any case.
        root: Folder to search.
    """
    folder = None if name in KNOWN else _named_folder([name], _places(root, None))
    if folder is None:
        return None
    children = [child.name.lower() for child in folder.iterdir() if child.is_dir()]
    stills, others = split_by_ending(path.name for path in folder.iterdir() if path.is_file())
    if stills or {*children} & {*_HR_FOLDERS} or any(child.startswith("image_srf_") for child in children):
        return None
    return folder if children or any(other.lower().endswith(CLIP_ENDINGS) for other in others) else None


def _places(root: Path, also: Path | None) -> list[Path]:
    roots = [root] if also in (None, root) else [root, also]
    return [each / place for each in roots if each for place in TEST_SET_FOLDERS]


def _named_folder(wanted: Iterable[str], places: Sequence[Path]) -> Path | None:
    for name in wanted:
        for place in places:
            for folder in sorted(place.iterdir()) if place.is_dir() else []:
                if folder.name.lower() == name.lower() and folder.is_dir():
                    return folder
    return None


def _folder(name: str, root: Path, also: Path | None, source: str | None) -> Path:
    looked = _places(root, also)
    if found := _named_folder([name, *([source] if source else [])], looked):
        return found
    places = ", ".join(str(place) for place in looked)
    raise ValueError(
        f"test set {name!r} is not in {places}; put its HR images into the folder {root / name}, "
        "give another root with data.test_root=<folder> (or SR_DATA), or remove the set from data.test"
    )


def _hr_files(folder: Path, known: KnownSet | None, scale: Fraction) -> list[Path]:
    children = {child.name.lower(): child for child in sorted(folder.iterdir()) if child.is_dir()}
    srf = {
        int(name[10:]): child
        for name, child in children.items()
        if name.startswith("image_srf_") and name[10:].isdigit()
    }
    if srf:
        folder = _srf_folder(folder, srf, known, scale)
    else:
        folder = next((children[name] for name in _HR_FOLDERS if name in children), folder)
    names, others = split_by_ending(sorted(path.name for path in folder.iterdir() if not path.is_dir()))
    files = [folder / name for name in names]
    log_passed_over(folder, others)
    marked = [path for path in files if path.stem.lower().endswith("_hr")]
    if srf and marked:
        return marked
    files = [path for path in files if not path.stem.lower().endswith(_MADE_FROM_HR)]
    if not files:
        raise ValueError(f"{folder} holds no HR image ({', '.join(ENDINGS)}); put the set's images there")
    return files


def _srf_folder(folder: Path, srf: dict[int, Path], known: KnownSet | None, scale: Fraction) -> Path:
    wanted = known.srf if known and known.srf else None
    if wanted and wanted not in srf:
        raise ValueError(
            f"{folder} has image_SRF_{', image_SRF_'.join(map(str, sorted(srf)))}, but the images of "
            f"image_SRF_{wanted} are used at every scale, since the other folders hold different ones; add that folder"
        )
    order = [wanted] if wanted else [int(scale) if scale.denominator == 1 else 4, 4, 2, 3, *sorted(srf)]
    return srf[next(n for n in order if n in srf)]


def pixels_hash(files: Iterable[Path]) -> str:
    """Return the SHA-256 of the decoded images of a set, independent of names, order and lossless format.

    Args:
        files: The images.

    Returns:
        64 hex digits.
    """
    images = (read_image(path) for path in files)
    each = sorted(hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest() for image in images)
    return hashlib.sha256("".join(each).encode()).hexdigest()


def refuse_unscorable(
    title: str, pairs: Iterable[ImagePair], check_size: Callable[[int, int], None], min_lr: int
) -> None:
    """Raise ValueError if an image is too small for the metric or the net.

    Args:
        title: Name of the set, for the message.
        pairs: The images; their pixels are not read.
        check_size: Function that raises ValueError for an HR height and width that cannot be scored.
        min_lr: Minimum side of the net's input in pixels.

    Raises:
        ValueError: With the names of the images.
    """
    problems = []
    for pair in pairs:
        try:
            check_size(*pair.hr.shape[:2])
            if min(pair.lr.shape[:2]) < min_lr:
                raise ValueError(
                    f"its LR version has {pair.lr.shape[0]}x{pair.lr.shape[1]} pixels, the net needs {min_lr}"
                )
        except ValueError as error:
            problems.append(f"{pair.name}: {error}")
    if problems:
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        listed = "\n  ".join(problems[:_SHOWN])
        raise ValueError(f"{title}: {len(problems)} images cannot be scored:\n  {listed}{more}")
