"""Table of what a residual costs: estimates of the same net without one, with the papers' and with the spatial one."""

from collections.abc import Mapping, Sequence
from typing import Any

from sr.report.net_facts import class_name
from sr.results.kept_estimates import BY_CHANNEL, Estimates, essence, residual_of

RESIDUAL_HEADINGS = (
    *("net", "scale", "LR", "chip", "none, ms"),
    *("input_to_output, ms", "saved", "nearest, ms", "saved ", "run"),
)
RESIDUAL_HEAD = """## Time of a residual

`input_to_output` adds a convolution of the LR image before depth-to-space, as in the papers; `nearest` adds
the LR image upscaled by nearest neighbour after it. Both start from the same image. `saved` is the share of the time
that the net without a residual saves. The times are estimates of the HTP compiler, for chips that are in no phone.
"""


def residual_rows(kept: Mapping[str, Estimates], numbers: Mapping[str, int]) -> list[Sequence[str]]:
    """Return a row for each net that was estimated without a residual and with one, and each chip.

    Args:
        kept: {name: estimates}.
        numbers: {name: number of the run on the page}.
    """
    all_rows = [(name, row) for name, found in kept.items() for row in found.nets]
    rows = dict[Any, Sequence[str]]()
    for _, plain in all_rows:
        if residual_of(plain) == "none":
            same = [(name, row) for name, row in all_rows if essence(row) == essence(plain)]
            for chip in plain["microseconds"]:
                case = (*map(str, essence(plain)), chip)
                if case not in rows and (cells := _cells(plain, same, chip, numbers)):
                    rows[case] = cells
    return list(rows.values())


def _cells(
    plain: Mapping[str, Any],
    same: Sequence[tuple[str, Mapping[str, Any]]],
    chip: str,
    numbers: Mapping[str, int],
) -> Sequence[str] | None:
    """Return the row of a net and a chip; None without an estimate of the net with a residual."""
    time, used = float(plain["microseconds"][chip]), dict[str, None]()
    cells = [_label(plain["model"]), f"x{plain['scale']:g}", f"{plain['lr_height']}x{plain['lr_width']}", chip]
    cells.append(f"{time / 1000:.3f}")
    for kind in (BY_CHANNEL, "nearest"):
        found = [(name, row) for name, row in same if residual_of(row) == kind and chip in row["microseconds"]]
        if not found:
            cells += ["", ""]
            continue
        name, row = found[0]
        used[f"[{numbers[name]}](#run-{numbers[name]})"] = None
        slower = float(row["microseconds"][chip])
        cells += [f"{slower / 1000:.3f}", f"{1 - time / slower:.1%}"]
    return [*cells, ", ".join(used)] if used else None


def _label(model: Mapping[str, Any]) -> str:
    sizes = " ".join(f"{key}{model[key]}" for key in ("f", "m") if key in model)
    return f"{class_name(model)} {sizes}".strip()
