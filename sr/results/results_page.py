"""Page of all published values beside the kept results, in Markdown."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from sr.report.prediction import format_prediction_error, plain_net, predict
from sr.report.published import Published
from sr.report.record import Report, psnr_key, ssim_key
from sr.results.kept_files import KeptResults
from sr.results.kept_run import TOTAL_ITERATIONS
from sr.results.pairing import estimates_of, grouped_by_table, predicted_ms, scores_of
from sr.results.residual_table import RESIDUAL_HEAD, RESIDUAL_HEADINGS, residual_rows

NOT_RUN = "not run"
_FIRST = ("QuickSRNet", "SESR", "ABPN", "MAI", "MESRGAN")
"""First words of the main sources; the others follow in the order of their names."""
HEAD = """# Published values and results here

`sr results` writes this page from the files in `docs/results/`. `sr results outputs/<experiment>` adds finished runs to
them.

- `published` is the value of the source; `here` is the score of a run of this project under the same protocol.
- `iterations` are those of all trainings that the net comes from. The sources train on DIV2K, most of them for a
  million iterations. The number under `run` leads to command, commit, seed and images at the end of the page.
- An INT8 score has the scheme that made it. Where the source does not state its scheme, every scheme with a scale for
  each channel stands beside it.
- "not run" means that no result is kept. Rows of one net without any result are joined.
"""
LATENCY_HEAD = (
    "Estimates are of the HTP compiler for chips that are in no phone: compare their order, not their size. "
    "Predictions are a fit to published values, these among them."
)


def results_page(kept: KeptResults, values: Sequence[Published]) -> str:
    """Return the page.

    Args:
        kept: The kept results.
        values: Published values, as from `published()`.
    """
    numbers = {name: number for number, name in enumerate([*kept.reports, *kept.estimates], 1)}
    groups = sorted(grouped_by_table(values).items(), key=lambda each: _place(each[0][0]))
    parts = [HEAD, "## Overview\n", _overview(groups, kept)]
    for source, tables in groupby(groups, key=lambda each: each[0][0]):
        shown = list(tables)
        parts.append(f"## {source}\n")
        for (_, name), group in shown:
            head = f"{group[0].title[:1].upper()}{group[0].title[1:]} ({group[0].reference})."
            parts += [f"### {source}, {_title(name)}\n", f"{head}\n", *_tables(group, kept, numbers)]
    if rows := residual_rows(kept.estimates, numbers):
        parts += [RESIDUAL_HEAD, table(RESIDUAL_HEADINGS, rows)]
    parts += ["## Scores of all kept runs\n", _all_scores(kept.reports, numbers)]
    parts += ["## Runs\n", _commands(kept, numbers)]
    return "\n".join(parts)


def _place(source: str) -> int:
    return next((place for place, word in enumerate(_FIRST) if source.startswith(word)), len(_FIRST))


def _title(name: str) -> str:
    return f"table {name}" if name in ("S1", "S2") or name[:1].isdigit() else name


def _overview(groups: Sequence[tuple[tuple[str, str], Sequence[Published]]], kept: KeptResults) -> str:
    """Return for each published table how many of its scores have a result, and the range of the differences."""
    rows = []
    for (source, name), group in groups:
        scores = [value for value in group if value.set and value.quantity.startswith("psnr")]
        found = {id(value): scores_of(value, kept.reports) for value in scores}
        apart = {
            precision: [
                score.here - value.value
                for value in scores
                for score in found[id(value)]
                if (score.scheme in ("float", "bicubic")) == (precision == "float")
            ]
            for precision in ("float", "INT8")
        }
        ranges = [f"{min(each):+.2f} to {max(each):+.2f}" if each else "" for each in apart.values()]
        if scores:
            rows.append([source, _title(name), str(len(scores)), str(sum(map(bool, found.values()))), *ranges])
    headings = ["source", "table", "PSNR values", "with a result", "float, difference in dB", "INT8, difference in dB"]
    return table(headings, rows)


def _tables(group: Sequence[Published], kept: KeptResults, numbers: Mapping[str, int]) -> list[str]:
    """Return scores and other figures of a published table, with its caveats."""
    scores = [value for value in group if value.set]
    others = [value for value in group if not value.set]
    parts = []
    for protocol, own in groupby(scores, key=lambda value: value.protocol):
        found = list(own)
        parts += [f"Protocol `{protocol}`.\n", _score_table(found, kept.reports, numbers)]
    if others:
        parts.append(_figure_table(others, kept, numbers))
    caveats = dict.fromkeys(value.caveat for value in group if value.caveat)
    return [*parts, *(f"Caveat: {caveat}.\n" for caveat in caveats)]


def _score_table(values: Sequence[Published], reports: Mapping[str, Report], numbers: Mapping[str, int]) -> str:
    rows: list[list[str]] = []
    for (label, scale), group in groupby(values, key=lambda value: (value.label, value.scale)):
        missing = list[Published]()
        for value in group:
            found = scores_of(value, reports)
            missing += [] if found else [value]
            for score in found:
                rows.append([
                    label, f"x{value.scale or reports[score.name].scale:g}", str(value.set), value.quantity,
                    _as_published(value), _number(value), score.scheme, _number(value, score.here),
                    _number(value, score.here - value.value, sign="+"),
                    "" if score.iterations is None else f"{score.iterations:,}", _link(numbers[score.name]),
                ])  # fmt: skip
        if missing:
            rows.append([
                label, f"x{scale:g}" if scale else "", _distinct(missing, lambda value: str(value.set)),
                _distinct(missing, lambda value: value.quantity), _distinct(missing, _as_published),
                ", ".join(map(_number, missing)), "", NOT_RUN, "", "", "",
            ])  # fmt: skip
    return table(
        ["net", "scale", "set", "what", "there", "published", "by", "here", "difference", "iterations", "run"], rows
    )


def _number(value: Published, number: float | None = None, *, sign: str = "") -> str:
    """Return a number with the decimals of a published value: 4 of an SSIM, else 2."""
    decimals = 4 if value.quantity.startswith("ssim") else 2
    return format(value.value if number is None else number, f"{sign}z.{decimals}f")


def _as_published(value: Published) -> str:
    """Return precision and scheme of a published value."""
    if not value.scheme:
        return value.precision or ""
    chain = "+".join(value.scheme.get("chain", ())) or "calibrated"
    scales = {True: ", per channel", False: ", per tensor", None: ""}[value.scheme.get("per_channel")]
    return f"{value.precision} {chain}{scales}"


def _figure_table(values: Sequence[Published], kept: KeptResults, numbers: Mapping[str, int]) -> str:
    """Return the table of latencies and other figures that are no scores."""
    rows, with_note = list[list[str]](), False
    common = dict(set.intersection(*(set(value.conditions.items()) for value in values)))
    for value in values:
        found = estimates_of(value, kept.estimates)
        predicted = predicted_ms(value)
        with_note |= bool(found) or predicted is not None
        start = [
            value.label, f"x{value.scale:g}" if value.scale else "", value.precision or "",
            value.quantity.replace("_", " "),
            _listed({key: item for key, item in value.conditions.items() if key not in common}), f"{value.value:g}",
            "" if predicted is None else f"{predicted:.2f}",
        ]  # fmt: skip
        rows += [[*start, _by_chip(each.by_chip), _link(numbers[each.name])] for each in found] or [
            [*start, NOT_RUN, ""]
        ]
    headings = ["net", "scale", "there", "what", "of", "published", "predicted", "estimate", "run"]
    of_all = f"Of all rows: {_listed(dict(sorted(common.items())))}.\n\n" if common else ""
    return of_all + table(headings, rows) + (f"\n{LATENCY_HEAD} {_prediction_error()}\n" if with_note else "")


def _listed(conditions: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {item}" for key, item in conditions.items()).replace("_", " ")


def _by_chip(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{chip} {number:.3g}" for chip, number in numbers.items())


def _prediction_error() -> str:
    net = plain_net({"f": 32, "m": 2, "scale": 2}, "quicksrnet", (512, 512))
    return format_prediction_error(predict(net)) if net else ""


def _all_scores(reports: Mapping[str, Report], numbers: Mapping[str, int]) -> str:
    """Return a row for each run and set: bicubic, the float net, the simulation, and what else was scored."""
    rows = []
    for name, report in reports.items():
        for set_name, score in report.quality.get("float", {}).items():
            key, ssim = psnr_key(score) or "", ssim_key(score)
            found = {stage: float(sets[set_name][key]) for stage, sets in report.quality.items() if set_name in sets}
            bicubic, before, after = (found.pop(stage, None) for stage in ("bicubic", "float", "simulated"))
            rows.append([
                _link(numbers[name]), _net(name), set_name, str(score["protocol"]), _decibels(bicubic),
                _decibels(before), f"{float(score[ssim]):.4f}" if ssim else "", _decibels(after),
                "" if after is None or before is None else f"{after - before:+.3f}",
                ", ".join(f"{stage} {number:.3f}" for stage, number in found.items()),
            ])  # fmt: skip
    headings = ["run", "net", "set", "protocol", "bicubic", "float", "SSIM", "quantized", "to float", "runtimes"]
    return table(headings, rows)


def _decibels(number: float | None) -> str:
    return "" if number is None else f"{number:.3f}"


def _net(name: str) -> str:
    return name.partition("/")[2].rpartition("-seed_")[0]


def _commands(kept: KeptResults, numbers: Mapping[str, int]) -> str:
    rows = [
        [
            f'<a id="run-{numbers[name]}"></a>{numbers[name]}', str(report.config.get("seed", 0)),
            f"{report.training.get(TOTAL_ITERATIONS, 0):,}", _images(report), _commit(report.git),
            f"`{report.made_by['commands'][-1]}`",
        ]
        for name, report in kept.reports.items()
    ]  # fmt: skip
    rows += [
        [f'<a id="run-{numbers[name]}"></a>{numbers[name]}', "", "", "", _commit(found.git), f"`{found.command}`"]
        for name, found in kept.estimates.items()
    ]
    return table(["run", "seed", "iterations", "images", "commit", "command"], rows)


def _images(report: Report) -> str:
    number = report.data.get("num_images")
    return f"{number:,}" if isinstance(number, int) else ""


def _commit(git: Mapping[str, Any]) -> str:
    commit = str(git.get("commit") or "")[:7]
    return f"{commit}, changed" if git.get("dirty") else commit


def _link(number: int) -> str:
    return f"[{number}](#run-{number})"


def _distinct(values: Iterable[Published], of: Callable[[Published], str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, map(of, values))))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown without the columns that no row fills.

    >>> print(table(["a", "b"], [["1", ""], ["2", ""]]).strip())
    | a |
    |---|
    | 1 |
    | 2 |
    """
    kept = [index for index in range(len(headings)) if any(row[index] for row in rows)]
    lines = [[headings[index] for index in kept], *([row[index].replace("|", "\\|") for index in kept] for row in rows)]
    first, *rest = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([first, "|" + "---|" * len(kept), *rest, ""])
