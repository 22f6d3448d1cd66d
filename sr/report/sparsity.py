"""Pruned runs as a table and a picture: PSNR against sparsity, and the PSNR curve of every round.

Reproduces figures 3 and 4 of the SESR pruning study from the rounds that the reports of `task=pruning` hold.
"""

import io
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from sr.report.record import psnr_key
from sr.report.runs import Run
from sr.report.table import Column, Table

Rounds = list[Mapping[str, Any]]
LAST_SHARE = 0.5
"""Share of a round's end that the zoomed curves show."""


def pruned_groups(runs: Sequence[Run]) -> dict[str, list[Rounds]]:
    """Group the rounds of all pruned runs by all but the seed: {name of the first run: [rounds of each seed]}.

    Raises:
        ValueError: no finished run was pruned.
    """
    groups: dict[str, tuple[str, list[Rounds]]] = {}
    for report in (run.report for run in runs if run.report):
        if rounds := report.training.get("rounds"):
            name = f"{report.experiment}/{report.run}"
            groups.setdefault(report.group, (name, []))[1].append(rounds)
    if not groups:
        raise ValueError("no finished run was pruned; task=pruning prunes")
    return dict(groups.values())


def sparsity_tables(runs: Sequence[Run]) -> list[Table]:
    """Make a table for each group: PSNR of each round, mean over seeds, and each seed's difference from dense."""
    tables = []
    for name, seeds in pruned_groups(runs).items():
        key = _key(seeds)
        rows = []
        for each in zip(*seeds, strict=True):
            gains = [float(rounds[key]) - float(dense[0][key]) for rounds, dense in zip(each, seeds, strict=True)]
            row = {
                "sparsity": 100 * each[0]["sparsity"],
                "psnr": statistics.fmean(float(rounds[key]) for rounds in each),
            }
            row |= {"gain": statistics.mean(gains)} | {f"seed_{i}": gain for i, gain in enumerate(gains)}
            row["best"] = statistics.mean(
                max(_curve(rounds, dense, key).values()) for rounds, dense in zip(each, seeds, strict=True)
            )
            rows.append(row)
        columns = (
            Column("sparsity", "sparsity, %", ".1f"),
            Column("psnr", "PSNR at the end, dB", ".3f"),
            Column("gain", "- dense", "+.3f"),
            *(Column(f"seed_{i}", f"run {i + 1}", "+.3f") for i in range(len(seeds) if len(seeds) > 1 else 0)),
            Column("best", "best in the round", ".3f"),
        )
        tables.append(Table(title=f"{name}: held-out images, {key}, {len(seeds)} run(s)", columns=columns, rows=rows))
    return tables


def sparsity_picture(runs: Sequence[Run]) -> bytes:
    """Draw the groups below each other as PNG: PSNR against sparsity, the curves of all rounds, and their ends.

    Raises:
        ValueError: no finished run was pruned.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    groups = pruned_groups(runs)
    figure = Figure(figsize=(15, 4.6 * len(groups)), layout="constrained")
    rows = figure.subplots(len(groups), 3, squeeze=False)
    for (name, seeds), (against, curves, ends) in zip(groups.items(), rows, strict=True):
        key = _key(seeds)
        _draw_sparsity(against, seeds, key)
        _draw_curves(curves, seeds, key, 0)
        _draw_curves(ends, seeds, key, LAST_SHARE)
        against.set_title(name, loc="left", fontsize=8)
        ends.legend(title="sparsity", fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    FigureCanvasAgg(figure)
    content = io.BytesIO()
    figure.savefig(content, dpi=110, format="png")
    return content.getvalue()


def _draw_sparsity(axes: Any, seeds: Sequence[Rounds], key: str) -> None:
    """Draw figure 3: every seed as points, their mean as a line, the dense net's mean across."""
    sparsity = [100 * each["sparsity"] for each in seeds[0]]
    means = [statistics.fmean(float(each[key]) for each in rounds) for rounds in zip(*seeds, strict=True)]
    axes.plot(sparsity, means, marker="o", color="tab:blue", label="mean" if len(seeds) > 1 else "PSNR")
    for number, rounds in enumerate(seeds if len(seeds) > 1 else []):
        scores = [float(each[key]) for each in rounds]
        axes.scatter(sparsity, scores, s=14, color="tab:gray", label="each run" if not number else None)
    axes.axhline(means[0], color="tab:orange", linestyle="--", label="dense")
    axes.set(xlabel="sparsity of the weights, %", ylabel=f"{_title(key)} at the end of the round")
    axes.legend(fontsize=8)


def _draw_curves(axes: Any, seeds: Sequence[Rounds], key: str, start: float) -> None:
    """Draw figure 4: PSNR over the iterations of a round, mean over seeds, from a share of them on."""
    from matplotlib import colormaps

    for number, rounds in enumerate(zip(*seeds, strict=True)):
        curves = [_curve(each, dense, key) for each, dense in zip(rounds, seeds, strict=True)]
        shared = sorted(set.intersection(*(set(curve) for curve in curves)))
        shown = [at for at in shared if at >= start * shared[-1]]
        colour = colormaps["viridis"](number / max(1, len(seeds[0]) - 1))
        values = [statistics.mean(curve[at] for curve in curves) for at in shown]
        style = {"linestyle": "--", "color": "black"} if not number else {"color": colour}
        axes.plot(shown, values, label=f"{rounds[0]['sparsity']:.1%}" if number else "dense", **style)
    axes.set(xlabel="iteration of the round, those up to the rewind point included", ylabel=_title(key))


def _curve(each: Mapping[str, Any], rounds: Rounds, key: str) -> dict[int, float]:
    """Return a round's validations by iteration and its final score; all rounds are as long as the dense one."""
    return {int(at): float(value) for at, value in each["curve"]} | {int(rounds[0]["iterations"]): float(each[key])}


def _key(seeds: Sequence[Rounds]) -> str:
    key = psnr_key(seeds[0][0])
    assert key, "task=pruning scores each round"
    return key


def _title(key: str) -> str:
    return {"psnr_y_db": "PSNR-Y, dB", "psnr_rgb_db": "PSNR, dB"}.get(key, key)
