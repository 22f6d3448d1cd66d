"""The kept results of each published value, and the refusal of results that were scored under another protocol."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sr.report.comparison import FLOAT_PRECISIONS, remarks, same_measurement, scored_nets
from sr.report.net_facts import ScoredNet, class_name
from sr.report.prediction import SAVED, UNSTATED, plain_net, predict
from sr.report.published import FOREIGN_PROTOCOLS, Published
from sr.report.record import Report, psnr_key, ssim_key
from sr.results.kept_estimates import Estimates, saved_share
from sr.results.kept_run import TOTAL_ITERATIONS


class Scored(NamedTuple):
    """Score of a kept run beside a published value: file name, score, scheme, iterations in all, and remarks."""

    name: str
    here: float
    scheme: str
    iterations: int | None
    remark: str


class Estimated(NamedTuple):
    """Estimate beside a published latency or share: file name, {chip: ms or share}."""

    name: str
    by_chip: dict[str, float]


def scores_of(value: Published, reports: Mapping[str, Report]) -> list[Scored]:
    """Return the kept scores that stand beside a published value: same net, set, scale, precision and protocol.

    Runs that quantize one float net count once, and so do runs whose scores are equal as shown. Beside an INT8 value
    whose source does not state its scheme, nets with one scale for a whole tensor are left out.
    """
    found: dict[Any, Scored] = {}
    for name, report in reports.items():
        for score, net in _measured(value, report):
            if score["protocol"] != value.protocol or value.quantity not in (psnr_key(score), ssim_key(score)):
                continue
            integer = net.precision not in (None, *FLOAT_PRECISIONS)
            if integer and not value.scheme and not net.scheme.get("per_channel", True):
                continue
            scheme = str(net.scheme.get("name")) if integer else "float" if net.precision else "bicubic"
            here = float(score[value.quantity])
            iterations = report.training.get(TOTAL_ITERATIONS) if net.precision else None
            decimals = 4 if value.quantity.startswith("ssim") else 2
            key = (scheme, round(here, decimals), iterations, report.config.get("seed") if net.precision else None)
            found.setdefault(key, Scored(name, here, scheme, iterations, remarks(value, net) or ""))
    return list(found.values())


def _measured(value: Published, report: Report) -> Iterator[tuple[Mapping[str, Any], ScoredNet]]:
    """Yield the scores of a run that measure what was published, whatever their protocol."""
    for set_name, score, net in scored_nets(report):
        if same_measurement(value, net, set_name, report.scale):
            yield score, net


def refuse_other_protocols(reports: Mapping[str, Report], values: Sequence[Published]) -> None:
    """Refuse a result that has published counterparts, all of them under other protocols of this project.

    Raises:
        ValueError: The message names the file, both protocols, and what to do.
    """
    for name, report in reports.items():
        own, other = set[str](), set[str]()
        for value in values:
            for score, net in _measured(value, report):
                if net.precision and value.protocol and value.protocol not in FOREIGN_PROTOCOLS:
                    (own if value.protocol == score["protocol"] else other).add(value.protocol)
        if other and not own:
            wanted = " or ".join(sorted(other))
            raise ValueError(
                f"{name} is scored under protocol {report.protocol}, its published values under {wanted}: score the "
                f"run again with protocol={sorted(other)[0]}, and keep that result"
            )


def estimates_of(value: Published, kept: Mapping[str, Estimates]) -> list[Estimated]:
    """Return the kept estimates that stand beside a published latency in ms, or a share saved without a residual."""
    rows = [(name, row) for name, found in kept.items() for row in found.nets if _same_case(value, row)]
    if value.quantity == "latency_ms":
        return [Estimated(name, {c: us / 1000 for c, us in row["microseconds"].items()}) for name, row in rows]
    if value.quantity != SAVED:
        return []
    everything = [row for found in kept.values() for row in found.nets]
    found = [(name, {c: saved_share(row, everything, c) for c in row["microseconds"]}) for name, row in rows]
    shares = [(name, {c: share for c, share in by.items() if share is not None}) for name, by in found]
    return [Estimated(name, by) for name, by in shares if by]


def _same_case(value: Published, row: Mapping[str, Any]) -> bool:
    """Return whether an estimate is of the net, scale and image of a published latency."""
    model, wanted = row["model"], dict(value.model)
    size = [value.conditions.get(key, UNSTATED[key]) for key in ("lr_height", "lr_width")]
    return (
        class_name(model) == wanted.pop("name")
        and all(model.get(key) == item for key, item in wanted.items() if key != "init")
        and all(model.get(key, item) == item for key, item in value.variant.items())  # a net without that choice fits
        and row["scale"] == (value.scale or UNSTATED["scale"])
        and [row["lr_height"], row["lr_width"]] == size
    )


def predicted_ms(value: Published) -> float | None:
    """Return the fit's prediction of a published latency of a plain net; None for other nets and devices."""
    conditions = value.conditions
    if value.quantity != "latency_ms" or conditions.get("device") != "Snapdragon 8 Gen 1" or value.precision != "int8":
        return None
    model = {"f": 28, "m": 5, "anchor": True, **value.model} if value.model["name"] == "abpn" else dict(value.model)
    height, width = (int(conditions.get(key, UNSTATED[key])) for key in ("lr_height", "lr_width"))
    net = plain_net({**model, "scale": value.scale or UNSTATED["scale"]}, value.model["name"], (height, width))
    return predict(net).predicted_ms if net else None


def grouped_by_table(values: Iterable[Published]) -> dict[tuple[str, str], list[Published]]:
    """Return the values of each table: {(source, table): values}."""
    groups = dict[tuple[str, str], list[Published]]()
    for value in values:
        groups.setdefault((value.source, value.table), []).append(value)
    return groups
