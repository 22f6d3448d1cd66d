"""Where training images come from: a folder, chosen files of it, or files inside an installed package."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from sr.data.decode import SourceImage
from sr.data.image import ENDINGS, find_images

PACKAGE = "package:"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Images that belong together.

    Args:
        path: folder, searched at every depth; relative to the data module's root. `package:<name>/<folder>` is a folder
            inside an installed Python package, which is found without being imported.
        shrink: the images are downscaled by this factor before anything else; removes the artefacts of lossy files.
        files: names of single files below the path; None takes all images.
        lr: folder of ready-made LR images, with the same names as the HR ones, or with `x2`, `x3`, ... appended
            as DIV2K has them; None makes them by MATLAB's bicubic. Only with a shrink of 1.
        share: part of the images that is used, evenly chosen and at least one; in (0, 1].

    Raises:
        ValueError: a share out of its range.
    """

    path: str
    shrink: int | float = 1
    files: list[str] | None = None
    lr: str | None = None
    share: float = 1

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"data.share is the part of the images to use, above 0 and at most 1, got {self.share}")

    def images(self, root: Path) -> list[SourceImage]:
        """List the source's files.

        Raises:
            ValueError: a missing folder, package, file or LR image; no image at all.
        """
        folder = _folder(self.path, root)
        if self.files is None:
            paths = find_images(folder)
        else:
            paths = [folder / name for name in self.files]
            missing = [path.name for path in paths if not path.is_file()]
            if missing or not paths:
                raise ValueError(f"{folder} has no file {', '.join(missing) or 'chosen'}; correct the source's `files`")
        used = max(1, round(len(paths) * self.share))
        paths = [paths[i * len(paths) // used] for i in range(used)]
        lr = _by_stem(_folder(self.lr, root)) if self.lr else None
        return [SourceImage(_name(path, folder), path, _lr_of(path, lr, self.lr) if lr else None) for path in paths]


def _folder(path: str, root: Path) -> Path:
    if not path.startswith(PACKAGE):
        return root / Path(path).expanduser()
    package, _, inside = path.removeprefix(PACKAGE).partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(
            f"package {package!r} of source {path!r} is not installed; install it or choose another data set"
        )
    return Path(spec.submodule_search_locations[0], inside)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def _by_stem(folder: Path) -> dict[str, Path]:
    return {path.stem.lower(): path for path in find_images(folder)}


def _lr_of(path: Path, lr: dict[str, Path], folder: str | None) -> Path:
    stem = path.stem.lower()
    for candidate in (stem, *(f"{stem}x{scale}" for scale in ("2", "3", "4", "1.5"))):
        if candidate in lr:
            return lr[candidate]
    raise ValueError(
        f"no LR image of {path.name} in {folder}; it must have the same name, with any of {', '.join(ENDINGS)}"
    )
