"""Folders: of the config, of outputs, of image sets, and the name of a run, which follows from its overrides."""

import hashlib
import os
import re
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
INSTALLED = (_PACKAGE / "conf").is_dir()
"""Whether the package comes from a wheel, which has conf/ and sweeps/ inside, and not from a checkout."""
ROOT = _PACKAGE if INSTALLED else _PACKAGE.parent
"""Folder of conf/, sweeps/ and constraints.txt: the checkout, or the installed package."""
MACHINE_KEYS = ("logger", "machine", "experiment", "sweeps", "ckpt", "reuse", "redo", "launcher", "hydra")
"""Top-level keys that say where and how a run is watched or taken up again, never what it computes."""
PLACE_KEYS = {
    "data": ("root", "test_root", "cache", "gpu_cache", "max_megapixels"),
    "task": ("cuda_graphs",),
    "trainer": ("accelerator",),
}
"""More of the kind: where the images lie (which ones they are tells their fingerprint), and how a step is run."""
NAMING_PLACES = ("data.root",)
"""Places in a run's name: other images are another run, and the name must be known before they are read."""
MAX_NAME = 120


def outputs_root() -> Path:
    """Return the folder of all outputs: SR_OUTPUTS, else `outputs` in the checkout, or below the current folder."""
    if given := os.environ.get("SR_OUTPUTS"):
        return expand_home("SR_OUTPUTS", given).absolute()
    return (Path.cwd() if INSTALLED else ROOT) / "outputs"


def data_root() -> Path:
    """Return the folder of image sets: SR_DATA, else `shared/data` beside the checkout, or `data` in this folder."""
    return Path(os.environ.get("SR_DATA") or (Path.cwd() / "data" if INSTALLED else ROOT.parent / "shared" / "data"))


def run_name(overrides: list[str]) -> str:
    """Return the folder name of a run: the overrides that change its numbers, sorted, the model's first.

    Joined with `-` and `_` only: Hydra cannot parse `=` or `,` in a path given on its command line. A name that would
    grow over `MAX_NAME` characters ends in a hash of the whole.

    >>> run_name(["model.m=5", "scale=4", "logger=csv"])
    'model.m_5-scale_4'
    >>> run_name([])
    'default'
    """
    kept = [item for item in overrides if not _of_machine(re.split("[=@]", item.lstrip("+~"))[0])]
    kept.sort(key=lambda item: (not item.startswith("model"), item))
    parts = [re.sub(r"[^A-Za-z0-9.]+", "_", item.lstrip("+~").replace("=", "_")).strip("_") for item in kept]
    name = "-".join(parts) or "default"
    exact = hashlib.sha256("\n".join(kept).encode()).hexdigest()[:8]
    if len(name) > MAX_NAME:
        return f"{name[: MAX_NAME - 9]}-{exact}"
    # Two different overrides must not share a folder because a special character became `_`.
    lossless = all(re.fullmatch(r"[A-Za-z0-9_.=]+", item) for item in kept)
    return name if lossless else f"{name}-{exact}"


def _of_machine(key: str) -> bool:
    part, _, name = key.partition(".")
    return part in MACHINE_KEYS or (name in PLACE_KEYS.get(part, ()) and key not in NAMING_PLACES)


def expand_home(key: str, path: str | Path) -> Path:
    """Expand a leading `~` of a setting's path.

    Args:
        key: Name of the setting.
        path: Its value.

    Raises:
        ValueError: There is no home folder: HOME is not set, and the system knows none for this user.

    >>> expand_home("data.root", "images").as_posix()
    'images'
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(
            f"{key}={path} needs a home folder, and this user has none; set HOME, or give {key}=<a folder without ~>"
        ) from error
