"""Tables of our scores beside published ones, with the training of both."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sr.report.net_facts import ScoredNet, class_name, net_of, quantized_precision
from sr.report.published import FOREIGN_PROTOCOLS, Published
from sr.report.record import Report, psnr_key, ssim_key
from sr.report.runs import Run
from sr.report.seeds import fold
from sr.report.table import RUN, Column, Row, Table, run_names
from sr.report.training_facts import trainings

COMPARISON_COLUMNS = (
    Column("experiment", "experiment"),
    RUN,
    Column("num_seeds", "seeds", "d"),
    Column("precision", "ours is"),
    Column("scheme", "by"),
    Column("published_precision", "theirs"),
    Column("ours", "ours", ".2f"),
    Column("published", "published", ".2f"),
    Column("difference", "difference", "+z.2f"),
    Column("iterations", "our it", ",d"),
    Column("budget", "budget", ".3g"),
    Column("start", "our start", footnote=True),
    Column("data", "our data", footnote=True),
    Column("published_iterations", "their it", ",d"),
    Column("published_data", "their data", footnote=True),
    Column("source", "source"),
    Column("table", "table"),
    Column("label", "net there"),
    Column("remarks", "remarks", footnote=True),
)
FLOAT_PRECISIONS = ("fp32", "fp16")


def comparison_tables(runs: Sequence[Run], values: Iterable[Published], *, fold_seeds: bool = False) -> list[Table]:
    """Set every score of the finished runs beside every published value of the same net, set, scale and protocol.

    Args:
        runs: Runs; those without a report are passed over.
        values: Published values, as from `published()`.
        fold_seeds: Whether runs that differ only in `seed` become one row.

    Returns:
        A table for each protocol, set, scale and quantity; then what could not be compared, and why.
    """
    reports = [run.report for run in runs if run.report]
    several = len({report.experiment for report in reports}) > 1
    by_net: dict[str, list[Published]] = defaultdict(list)
    for value in values:
        by_net[value.model["name"]].append(value)
    groups: dict[tuple[str, str, float, str], list[Row]] = {}
    foreign: set[Published] = set()
    matched: set[int] = set()
    for report in reports:
        for set_name, score, net in scored_nets(report):
            own = by_net.get(net.name, ())
            for value in (value for value in own if same_measurement(value, net, set_name, report.scale)):
                if value.protocol != score["protocol"]:
                    foreign.add(value)
                elif value.quantity in (psnr_key(score), ssim_key(score)):
                    key = (str(score["protocol"]), set_name, report.scale, value.quantity)
                    row = _row(report, net, float(score[value.quantity]), value)
                    group = groups.setdefault(key, [])
                    group += [row] if row not in group else []  # all runs of a sweep have the same bicubic
                    matched |= {id(report)} if net.precision else set()
    tables = [
        _table(key, fold(_merged(rows)) if fold_seeds else _merged(rows), several_experiments=several)
        for key, rows in sorted(groups.items())
    ]
    return [*tables, _foreign_table(foreign), _unmatched_table([r for r in reports if id(r) not in matched])]


def scored_nets(report: Report) -> Iterator[tuple[str, Mapping[str, Any], ScoredNet]]:
    """Yield the scores of a run that a source can have, too: bicubic, float net, simulated net."""
    for stage, precision in (("bicubic", None), ("float", "fp32"), ("simulated", quantized_precision(report))):
        for set_name, score in report.quality.get(stage, {}).items():
            yield set_name, score, net_of(report, stage, precision)


def same_measurement(value: Published, net: ScoredNet, set_name: str, scale: float) -> bool:
    """Return whether a published value is of this net, set, scale, precision and scheme."""
    return _same_set(value.set, set_name) and not value.conditions and same_net(value, net, scale)


def same_net(value: Published, net: ScoredNet, scale: float) -> bool:
    """Return whether a published value is of this net, scale, precision, scheme and kind of training."""
    wanted = {key: item for key, item in value.model.items() if key != "name"}
    return (
        value.model["name"] == net.name
        and all(net.arguments.get(key) == item for key, item in wanted.items())
        and value.task == net.task
        and (value.scale is None or float(value.scale) == scale)
        and _same_precision(value, net)
    )


def _same_set(published: str | None, ours: str) -> bool:
    """Return whether two names mean one set: "Set5" is "set5", "gaming_test" is "gaming"."""
    name = ours.lower().replace("-", "_")
    return published is not None and published in (name, name.removesuffix("_test"))


def _same_precision(value: Published, net: ScoredNet) -> bool:
    """Return whether both are floating point, or both quantized alike as far as the source states."""
    if net.precision is None:
        return True
    if net.precision in FLOAT_PRECISIONS:
        return value.precision in FLOAT_PRECISIONS
    return value.precision == net.precision and all(net.scheme.get(key) == item for key, item in value.scheme.items())


def _row(report: Report, net: ScoredNet, ours: float, value: Published) -> Row:
    """Return the row of one comparison."""
    own_group = report.group if net.precision else ""
    row = {
        "group": (own_group, net.precision, value.source, value.table, value.label, value.precision),
        "net": net.name,
        "precision": net.precision,
        "scheme": net.scheme.get("name") if net.precision not in (None, *FLOAT_PRECISIONS) else None,
        "ours": ours,
        "published": value.value,
        "difference": ours - value.value,
        "source": value.source,
        "table": value.table,
        "label": value.label,
        "remarks": remarks(value, net),
    }
    if net.precision is None:  # bicubic was not trained, and is the same in all runs
        return row
    names = {"experiment": report.experiment, **run_names(report.run, report.config)}
    return names | row | {"published_precision": value.precision} | trainings(report, value)


def remarks(value: Published, net: ScoredNet) -> str | None:
    """Return how the source's net differs from ours, with the source's caveat; None if there is neither."""
    differing = [
        f"{key} {net.arguments[key]}, theirs {item}"
        for key, item in value.variant.items()
        if key in net.arguments and net.arguments[key] != item
    ]
    return "; ".join([*differing, *([value.caveat] if value.caveat else [])]) or None


def _merged(rows: Iterable[Row]) -> list[Row]:
    """Make one row of those that differ only in the table of the source."""
    merged: dict[str, Row] = {}
    for row in rows:
        key = repr([(name, item) for name, item in row.items() if name not in ("group", "table")])
        known = merged.setdefault(key, row)
        if known is not row:
            known["table"] = f"{known['table']}, {row['table']}"
    return list(merged.values())


def _table(key: tuple[str, str, float, str], rows: list[Row], *, several_experiments: bool) -> Table:
    """Return a table of comparisons: SSIM with four decimals, the experiment where there are several."""
    protocol, set_name, scale, quantity = key
    decimals, name = (".4f", "SSIM") if quantity.startswith("ssim") else (".2f", "PSNR in dB")
    columns = tuple(
        column._replace(format=column.format.replace(".2f", decimals))
        for column in COMPARISON_COLUMNS
        if several_experiments or column.key != "experiment"
    )
    return Table(
        title=f"{set_name} x{scale:g}, protocol {protocol}: {name}, ours | published", columns=columns, rows=rows
    )


def _foreign_table(values: Iterable[Published]) -> Table:
    """Return the table of published values of the same nets under other protocols."""
    counted = Counter((value.source, value.table, str(value.protocol)) for value in values)
    rows = [
        {
            "source": source,
            "table": table,
            "protocol": protocol,
            "num": num,
            "why": FOREIGN_PROTOCOLS.get(protocol, _described(protocol)),
        }
        for (source, table, protocol), num in sorted(counted.items())
    ]
    columns = (
        Column("source", "source"),
        Column("table", "table"),
        Column("protocol", "their protocol"),
        Column("num", "values", "d"),
        Column("why", "what that is"),
    )
    return Table(title="Not compared: measured under another protocol", columns=columns, rows=rows)


def _described(protocol: str) -> str | None:
    """Return the description of a protocol that this project has, so that the runs can be scored under it."""
    from sr.metrics import PROTOCOLS  # it imports torch, which no other table needs

    known = PROTOCOLS.get(protocol)
    return f"{known.description}: protocol={protocol}" if known else None


def _unmatched_table(reports: Iterable[Report]) -> Table:
    """Return the table of finished runs without any published counterpart."""
    rows = [
        {
            "experiment": report.experiment,
            **run_names(report.run, report.config),
            "net": class_name(report.config.get("model")),
            "scale": report.scale,
            "sets": ", ".join(report.quality.get("float", {})),
        }
        for report in reports
    ]
    columns = (
        Column("experiment", "experiment"),
        RUN,
        Column("net", "net"),
        Column("scale", "scale", "g"),
        Column("sets", "sets"),
    )
    return Table(title="Not compared: no published value of this net, set and scale", columns=columns, rows=rows)
