"""Plots and tables for papers: the page's plots as files, with the numbers behind them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sr.dashboard import theme
from sr.dashboard.axes import Axis, Metric
from sr.dashboard.content import content
from sr.dashboard.labels import placed
from sr.dashboard.specification import Spec, filled
from sr.report.render import latex, markdown
from sr.report.runs import Run
from sr.report.spreadsheet import as_csv
from sr.report.table import quality_tables, speed_table
from sr.runs.files import write_atomically
from sr.runs.names import file_name

FIGURE_FORMATS = ("svg", "png", "pdf")
_WIDTH = 520
"""Pixels, of which CSS has 96 an inch: a column and a half of two-column paper."""
PNG_SCALE = 3


def write_figures(runs: Sequence[Run], folder: Path, formats: Sequence[str]) -> Iterator[Path]:
    """Write every plot that the runs fill, in each format, and all numbers as CSV, Markdown and LaTeX.

    Args:
        runs: as `find_runs` gives them; those without a report are passed over.
        folder: where to write; made if it is missing.
        formats: of `FORMATS`.

    Yields:
        The files.

    Raises:
        ValueError: an unknown format, or no finished run.
    """
    if unknown := sorted(set(formats) - set(FIGURE_FORMATS)):
        raise ValueError(f"figures are written as {', '.join(FIGURE_FORMATS)}, got {', '.join(unknown)}")
    if not any(run.report for run in runs):
        raise ValueError("no run is finished, so there is nothing to draw; `python -m sr.run` finishes one")
    taken: Counter[str] = Counter()
    for title, spec in figure_specs(content(runs, [])):
        name = file_name(title)
        taken[name] += 1
        name += f"-{taken[name]}" if taken[name] > 1 else ""
        for kind in formats:
            path = folder / f"{name}.{kind}"
            write_atomically(path, draw(spec, kind))
            yield path
    tables = [*quality_tables(runs, fold_seeds=True), speed_table(runs, fold_seeds=True)]
    for ending, text in (("csv", as_csv(tables)), ("md", markdown(tables)), ("tex", latex(tables))):
        path = folder / f"tables.{ending}"
        write_atomically(path, text)
        yield path


def draw(spec: Spec, kind: str) -> str | bytes:
    """Draw a plot; the texts of an SVG stay texts.

    Raises:
        ValueError: vl-convert is not installed.
    """
    try:
        import vl_convert
    except ImportError as error:
        raise ValueError(f"figures need vl-convert-python ({error}); pip install vl-convert-python") from error
    vega = vl_convert.vegalite_to_vega(spec, config=theme.config("paper"))
    if labels := spec.get("usermeta", {}).get("labels"):
        vega = placed(vega, labels, vl_convert.vega_to_scenegraph(vega))
    if kind == "png":
        return vl_convert.vega_to_png(vega, scale=PNG_SCALE)
    return getattr(vl_convert, f"vega_to_{kind}")(vega)


def figure_specs(page: dict[str, Any]) -> Iterator[tuple[str, Spec]]:
    """Yield title and specification of each plot that the content of a page fills."""
    for each in page["slices"]:
        for metric in (Metric(**values) for values in each["metrics"]):
            name = f"{each['id']}-{metric.key}"
            rows = each["folded"]
            for axis in (Axis(**values) for values in page["axes"]):
                if any(row.get(axis.key) and row.get(f"float_{metric.key}") is not None for row in rows):
                    reference_points = each["reference_points"] if axis.kind == "npu" else []
                    data = {
                        "rows": rows,
                        "reference_points": reference_points,
                        "bicubic": each["bicubic_lines"][metric.key],
                    }
                    yield f"quality-{axis.key}-{name}", _made(page, "quality_latency", _of(metric) | _at(axis), data)
            if any(f"drop_{metric.key}" in row for row in rows):
                yield f"drops-{name}", _made(page, "drops", _of(metric), {"rows": rows})
    yield from _curves(page)
    for title in dict.fromkeys(pair["table_title"] for pair in page["pairs"]):
        pairs = [pair for pair in page["pairs"] if pair["table_title"] == title]
        ssim = "SSIM" in title
        values = {"metric_title": "SSIM" if ssim else "PSNR (dB)", "format": ".4f" if ssim else ".2f"}
        yield f"published-{title}", _made(page, "beside_published", values, {"pairs": pairs})
    if page["rounds"]:
        values = {"metric_title": "PSNR (dB)", "format": ".2f"}
        yield "sparsity", _made(page, "sparsity", values, {"rounds": page["rounds"]})


def _curves(page: dict[str, Any]) -> Iterator[tuple[str, Spec]]:
    """Yield a plot for each value that any run logged."""
    runs = page["runs"]
    for name in dict.fromkeys(name for run in runs for name in run["curves"]):
        points = [
            {**{key: run[key] for key in ("id", "label", "family")}, "group": run["id"], "at": at, "value": value}
            for run in runs
            for at, value in run["curves"].get(name, [])
        ]
        log = "loss" in name and all(point["value"] > 0 for point in points)
        values = {"curve_title": name.replace("_", " "), "y_scale": "log" if log else "linear", "format": ".4~g"}
        yield f"curve-{name}", _made(page, "training_curves", values, {"points": points})


def _of(metric: Metric) -> dict[str, Any]:
    """Return the blanks that a metric fills."""
    return {
        "metric": metric.key,
        "metric_title": metric.label,
        "sign": 1 if metric.higher_is_better else -1,
        "format": f".{metric.decimals}f",
        "least_range": metric.least_range,
    }


def _at(axis: Axis) -> dict[str, Any]:
    """Return the blanks that a cost fills."""
    return {
        "x": axis.key,
        "xq": axis.quantized_key,
        "x_title": axis.label,
        "x_scale": "log",
        "front": "quantized" if axis.kind == "npu" else "FP32",
    }


def _made(page: dict[str, Any], chart: str, values: dict[str, Any], data: dict[str, list[Any]]) -> Spec:
    """Return a plot with its data, as wide as a paper needs it."""
    spec = filled(page["charts"][chart], theme.blanks(page["families"], "paper") | values)
    return _still({**spec, "width": _WIDTH, "datasets": data})


def _still(spec: Spec) -> Spec:
    """Remove from a plot what only a pointer can use."""
    kept = {key: value for key, value in spec.items() if key not in ("autosize",)}
    if "layer" in kept:
        kept["layer"] = [_still(layer) for layer in kept["layer"] if not _needs_pointer(layer)]
    if kept.get("params"):
        kept["params"] = [parameter for parameter in kept["params"] if "select" not in parameter]
    return kept


def _needs_pointer(layer: Spec) -> bool:
    """Return whether a layer shows what is near the pointer."""
    return any(parameter.get("name") == "nearest" for parameter in layer.get("params", []))
