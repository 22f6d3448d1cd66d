"""Sources of training images: a folder, selected files of it, or files in an installed package."""

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.config.checks import count, number
from sr.data.decode import SourceImage
from sr.data.image import ENDINGS
from sr.data.image_files import find_images, image_names
from sr.data.video.video_clips import clip_images
from sr.runs.folders import expand_home

PACKAGE = "package:"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source of training images.

    Args:
        path: Folder, searched at every depth, relative to the root of the data module. `package:<name>/<folder>` is a
            folder in an installed Python package, which is not imported.
        shrink: Factor by which the images are downscaled first, which removes artefacts of lossy files.
        files: Paths of single files below `path`; None for all images.
        lr: Folder of LR images, with the same relative paths as the HR images or with `x2`, `x3`, ... appended as in
            DIV2K; endings may differ. None creates them by MATLAB's bicubic. Needs a shrink of 1.
        share: Share of the images to use, evenly spaced and at least one; in (0, 1].
        frames: Number of frames to use of each clip, spread evenly over it: of each video file, and of each folder of
            frames. None uses all images, and no video.
        weight: How often its patches are drawn, relative to those of a source of the same size with weight 1.

    Raises:
        ValueError: If `share`, `shrink` or `weight` is outside its range.
    """

    path: str
    shrink: int | float = 1
    files: list[str] | None = None
    lr: str | None = None
    share: float = 1
    weight: float = 1
    frames: int | None = None

    def __post_init__(self) -> None:
        number(f"shrink of data source {self.path}", self.shrink, least=1)
        number(f"weight of data source {self.path}", self.weight, above=0, most=1e6)
        if self.frames is not None:
            count(f"frames of data source {self.path}", self.frames)
            if self.files is not None or self.lr is not None or self.share != 1:
                raise ValueError(
                    f"data source {self.path} has `frames`, which goes with neither `files`, `lr` nor a share; give "
                    "fewer frames, or another folder"
                )
        if not 0 < self.share <= 1:
            raise ValueError(f"data.share must be above 0 and at most 1, got {self.share}")

    def images(self, root: Path, cache: Path = Path()) -> list[SourceImage]:
        """Return the files of the source.

        Args:
            root: Folder of relative paths.
            cache: Folder of decoded images, where frames of videos are kept.

        Raises:
            ValueError: If a folder, package, file or LR image is missing, there is no image, or HR and LR images cannot
                be paired uniquely.
        """
        folder = _folder(self.path, root)
        if self.frames is not None:
            return clip_images(folder, self.frames, cache, spread=True)
        if self.files is None:
            paths = find_images(folder)
        else:
            paths = [folder / name for name in self.files]
            missing = [path.name for path in paths if not path.is_file()]
            if missing or not paths:
                raise ValueError(f"{folder} has no file {', '.join(missing) or 'chosen'}; correct the source's `files`")
        used = max(1, round(len(paths) * self.share))
        paths = [paths[i * len(paths) // used] for i in range(used)]
        if self.lr is None:
            return named_by_place(paths, folder)
        lr_folder = _folder(self.lr, root)
        lr = _by_name(find_images(lr_folder), lr_folder)
        hr = _by_name(paths, folder)
        return [SourceImage(_name(path, folder), path, _lr_of(name, lr, self.lr)) for name, path in hr.items()]


def source_of(fields: Mapping[str, Any]) -> Source:
    """Create a source from its fields in a config.

    Args:
        fields: The arguments of `Source`.

    Raises:
        ValueError: If a field is unknown, `path` is missing, or a value is outside its range.
    """
    try:
        return Source(**fields)
    except TypeError as error:
        raise ValueError(
            f"a data source has path, shrink, files, lr, share, weight, frames; got {dict(fields)}: {error}"
        ) from error


def named_by_place(paths: Sequence[Path], folder: Path) -> list[SourceImage]:
    """Return images without LR files, named by `image_names`."""
    return [SourceImage(name, path, None) for name, path in zip(image_names(paths, folder), paths, strict=True)]


def _folder(path: str, root: Path) -> Path:
    if not path.startswith(PACKAGE):
        return root / expand_home("data.sources", path)
    package, _, inside = path.removeprefix(PACKAGE).partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(
            f"package {package!r} of source {path!r} is not installed; install it or choose another data set"
        )
    return Path(spec.submodule_search_locations[0], inside)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def _by_name(paths: Iterable[Path], folder: Path) -> dict[str, Path]:
    """Return the images by their relative path in lower case, without the ending."""
    found: dict[str, Path] = {}
    for path in paths:
        name = _name(path, folder).lower()
        if name in found:
            raise ValueError(
                f"{found[name]} and {path} have the same name, so HR and LR images cannot be paired; rename one of them"
            )
        found[name] = path
    return found


def _lr_of(name: str, lr: Mapping[str, Path], folder: str) -> Path:
    for candidate in (name, *(f"{name}x{scale}" for scale in ("2", "3", "4", "1.5"))):
        if candidate in lr:
            return lr[candidate]
    raise ValueError(
        f"no LR image {name} in {folder}; it needs the same relative path as the HR image, with any of "
        f"{', '.join(ENDINGS)}"
    )
