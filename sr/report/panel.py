"""A comparison panel as papers print it: a test image, a framed crop, and that crop by the net of each run."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sr.report.kept_pictures import SHARED, KeptPictures, cut, kept_pictures, read_pixels
from sr.report.net_facts import quantized_precision
from sr.report.regions_of_interest import Box, spots
from sr.report.run_labels import labels, run_id
from sr.report.runs import Run

PANEL_COLUMNS = ("lr", "bicubic", "float", "quantized", "hr")
"""What a panel can show, in the order of its tiles."""
TITLES = {"lr": "LR", "bicubic": "bicubic", "hr": "true (HR)"}
MAX_LISTED = 12


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One crop: its pixels (h, w, 3) uint8, its title, and the line below."""

    pixels: np.ndarray
    title: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A whole image with the place of a crop, and the crop in every form.

    Attributes:
        image: (H, W, 3) uint8, the true image.
        box: the crop in its pixels.
        caption: set, name, scale and protocol.
        tiles: the crops.
    """

    image: np.ndarray
    box: Box
    caption: str
    tiles: list[Tile]


def panel(runs: Sequence[Run], *, image: str | None, crop: tuple[int, ...] | None, columns: Sequence[str]) -> Panel:
    """Put together the panel of all finished runs.

    Args:
        runs: as `find_runs` gives them.
        image: name of a test image, or "set/name"; None takes the first one that all runs kept.
        crop: x, y, width and height in HR pixels; None takes the place where the pictures differ most.
        columns: of `PANEL_COLUMNS`.

    Raises:
        ValueError: no finished run; runs of different scales, protocols or sets; an image that a run did not keep; a
            crop outside of the image; an unknown column.
    """
    if unknown := [column for column in columns if column not in PANEL_COLUMNS]:
        raise ValueError(f"--columns takes {','.join(PANEL_COLUMNS)}, got {', '.join(unknown) or 'nothing'}")
    shown = [run for run in runs if run.report]
    if not shown:
        raise ValueError("no run is finished, so there is no picture to show; `python -m sr.run` finishes one")
    for name, unit in (("scale", "x"), ("protocol", "")):
        _same(name, {run_id(run): f"{unit}{run.config[name]}" for run in shown})
    kept = _kept(shown, image)
    pictures = {key: {name: read_pixels(file) for name, file in each.files.items()} for key, each in kept.items()}
    first = next(iter(kept.values()))
    _same_truth(pictures, first.image)
    common = next(iter(pictures.values()))
    made = [pixels for each in pictures.values() for name, pixels in each.items() if name != "nearest"]
    place = _inside(Box(*crop), common["hr"], first.image) if crop else _most_different(made, common["hr"])
    score, unit = _scorer(str(shown[0].config["protocol"]), first.scale, common["hr"])
    entries = _entries(shown, pictures, columns)
    tiles = [
        Tile(pixels=cut(pixels, place), title=title, note=f"{kind} {_note(title, pixels, score, unit)}".strip())
        for title, kind, pixels in entries
    ]
    caption = f"{first.set}: {first.image}, x{first.scale:g}, protocol {shown[0].config['protocol']}"
    return Panel(image=common["hr"], box=place, caption=caption, tiles=tiles)


def _same(what: str, found: Mapping[str, str]) -> None:
    """Refuse runs that differ in something that one panel has one of."""
    examples: dict[str, str] = {}
    for key, value in found.items():
        examples.setdefault(value, key)
    if len(examples) > 1:
        listed = ", ".join(f"{key} has {value}" for value, key in examples.items())
        raise ValueError(f"a panel shows runs of one {what}: {listed}; name the runs of one of them")


def _kept(runs: Sequence[Run], image: str | None) -> dict[str, KeptPictures]:
    """Return each run's pictures of one image."""
    kept = {run_id(run): {f"{each.set}/{each.image}": each for each in kept_pictures(run)} for run in runs}
    for key, names in kept.items():
        if not names:
            raise ValueError(
                f"{key} kept no pictures that can be read; its command with redo=[images] writes them again"
            )
    wanted = image or next(
        (name for name in next(iter(kept.values())) if all(name in own for own in kept.values())), ""
    )
    if not wanted:
        told = "; ".join(f"{key} has {_listed(names)}" for key, names in kept.items())
        raise ValueError(f"these runs kept no test image in common: {told}; name runs that were scored on one set")
    return {key: _named(key, names, wanted) for key, names in kept.items()}


def _named(key: str, names: Mapping[str, KeptPictures], wanted: str) -> KeptPictures:
    """Return a run's pictures of an image by its name, with or without the set.

    Raises:
        ValueError: the run did not keep it, or keeps it in several sets.
    """
    found = [name for name in names if wanted in (name, name.partition("/")[2])]
    if len(found) == 1:
        return names[found[0]]
    if found:
        raise ValueError(f"--image {wanted} is in several sets of {key}: {', '.join(found)}; give one of these names")
    own = wanted.rpartition("/")[2]
    raise ValueError(
        f"{key} kept no picture of {wanted}, but of {_listed(names)}; its command with "
        f"'callbacks.images.names=[{own}]' keeps it if its test sets have it"
    )


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(list(names)[:MAX_LISTED]) + (" ..." if len(names) > MAX_LISTED else "")


def _same_truth(pictures: Mapping[str, Mapping[str, np.ndarray]], image: str) -> None:
    """Refuse images of one name that are not one image."""
    first, *others = pictures
    for key in others:
        if not np.array_equal(pictures[first]["hr"], pictures[key]["hr"]):
            raise ValueError(f"the true images {image} of {first} and {key} differ; name runs of one test set")


def _inside(box: Box, truth: np.ndarray, image: str) -> Box:
    """Return a crop that lies inside the image.

    Raises:
        ValueError: it does not.
    """
    height, width = truth.shape[:2]
    if min(box.width, box.height) < 1 or box.x + box.width > width or box.y + box.height > height:
        raise ValueError(f"--crop {','.join(map(str, box))} is not inside {image}, which has {width}x{height} pixels")
    return box


def _most_different(made: Sequence[np.ndarray], truth: np.ndarray) -> Box:
    """Return the square where the pictures differ most, of a quarter of the shorter side; the middle of equal ones."""
    found = spots(made, 1)
    height, width = truth.shape[:2]
    side = max(1, min(height, width) // 4)
    return found[0] if found else Box((width - side) // 2, (height - side) // 2, side, side)


def _entries(
    runs: Sequence[Run], pictures: Mapping[str, Mapping[str, np.ndarray]], columns: Sequence[str]
) -> list[tuple[str, str, np.ndarray]]:
    """Return title, precision and pixels of each tile: what all runs share once, in between what each run made."""
    common = next(iter(pictures.values()))
    short = labels(runs)
    shared = {"lr": common["nearest"], "bicubic": common["bicubic"], "hr": common["hr"]}
    entries = [(TITLES[name], "", shared[name]) for name in ("lr", "bicubic") if name in columns]
    for run in runs:
        assert run.report
        for name, pixels in pictures[run_id(run)].items():
            if name in SHARED or ("float" if name == "float" else "quantized") not in columns:
                continue
            precision = "FP32" if name == "float" else quantized_precision(run.report).upper()
            entries.append((short[run_id(run)], precision, pixels) if len(runs) > 1 else (precision, "", pixels))
    return [*entries, (TITLES["hr"], "", shared["hr"])] if "hr" in columns else entries


def _scorer(protocol_name: str, scale: float, truth: np.ndarray) -> tuple[Callable[[np.ndarray], float], str]:
    """Return a function from a picture to its PSNR in dB against the truth, and the name of that score."""
    import torch

    from sr.metrics import protocol

    used = protocol(protocol_name)
    if used.luma_only:
        used = protocol("y")  # kept pictures are RGB

    def batch(pixels: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None]

    def score(pixels: np.ndarray) -> float:
        return float(used.score(batch(pixels), batch(truth), scale)[0])

    return score, f"PSNR{'-Y' if used.channel == 'y' else ''}"


def _note(title: str, pixels: np.ndarray, score: Callable[[np.ndarray], float], unit: str) -> str:
    """Return the line below a tile: PSNR of the whole picture."""
    if title == TITLES["hr"]:
        return f"{unit} of the whole image"
    if title == TITLES["lr"]:
        return "nearest neighbour"
    value = score(pixels)
    return f"{value:.2f} dB" if math.isfinite(value) else "equal"
