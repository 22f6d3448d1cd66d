"""Estimates of two compilers, from two certificates, or of two sets of the compiler's options for one net."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sr.bench.htp_estimates import estimated_chips, untrained_net
from sr.bench.measurement import Measurement
from sr.bench.setting import composed
from sr.export.hexagon import htp
from sr.export.publish import CERTIFICATE
from sr.export.tail import Estimator
from sr.report.table import Column, Table
from sr.runs.files import read_json

_USAGE = "give --certificates <before> <after>, or a net with --first NAME=VALUE and --second NAME=VALUE"


def measure_compiler(
    overrides: Sequence[str], certificates: Sequence[Path] | None, first: Sequence[str], second: Sequence[str]
) -> Measurement:
    """Compare estimates chip by chip.

    Args:
        overrides: Config overrides of the net; for sets of options.
        certificates: Two exports; None compares sets of options.
        first: Options NAME=VALUE of the QNN provider.
        second: The same; the ratio is second to first.

    Returns:
        The measurement.

    Raises:
        ValueError: A certificate has no estimates, the compiler is missing, or the command line mixes both ways.
    """
    if certificates:
        if overrides or first or second:
            raise ValueError(f"--certificates stands alone, got {' '.join((*overrides, *first, *second))}: {_USAGE}")
        found = [_certified(place) for place in certificates]
        names = [compiler for compiler, _ in found]
        estimates = [rows for _, rows in found]
    else:
        names = [" ".join(options) or "defaults" for options in (first, second)]
        if not (first or second) or names[0] == names[1]:
            raise ValueError(f"there are no two sets of options to compare: {_USAGE}")
        estimates = _estimated(overrides, [_options(texts) for texts in (first, second)])
    rows = _rows(*estimates)
    columns = (
        Column("chip", "chip"),
        Column("first_us", f"{names[0]}, us", "d"),
        Column("second_us", f"{names[1]}, us", "d"),
        Column("ratio", "ratio", ".3f"),
    )
    notes = [f"us: {htp.ESTIMATE}", *_only_one(*estimates)]
    table = Table("the HTP compiler's estimates", columns, rows, notes)
    setting = {"first": names[0], "second": names[1], "overrides": list(overrides)}
    return Measurement(setting=setting, figures={"chips": rows}, tables=[table])


def _certified(place: Path) -> tuple[str, dict[str, int]]:
    """Return compiler and estimates {chip: us} of an export."""
    files = [place, place / CERTIFICATE, place / "export" / CERTIFICATE]
    file = next((each for each in files if each.is_file()), None)
    if file is None:
        raise ValueError(f"{place} has no certificate: give a run folder, an export folder or a {CERTIFICATE}")
    compiled: Mapping[str, Any] = read_json(file).get("hexagon", {})
    estimates = {row["chip"]: row["estimate_us"] for row in compiled.get("estimates", []) if "estimate_us" in row}
    if not estimates:
        raise ValueError(f"{file} has no estimates; export with export=hexagon and onnxruntime-qnn")
    versions = compiled.get("compiler", {})
    return f"QAIRT {versions['qairt']}" if versions else "compiler not recorded", estimates


def _estimated(overrides: Sequence[str], sets: Sequence[Mapping[str, str]]) -> list[dict[str, int]]:
    """Return the estimates {chip: us} of a net with random weights for each set of options."""
    estimated_chips(overrides)
    found = []
    with composed(overrides) as (config, folder):
        target, net, simulation = untrained_net(config)
        for options in sets:
            rows = target.estimate_chips(simulation, net, _estimator(folder / "qnn.log", options))
            found.append({row["chip"]: row["estimate_us"] for row in rows if "estimate_us" in row})
    return found


def _estimator(log: Path, options: Mapping[str, str]) -> Estimator:
    return lambda model, chip: htp.estimate(model, chip, log, **options)


def _options(texts: Sequence[str]) -> dict[str, str]:
    if wrong := [text for text in texts if not text.partition("=")[1]]:
        raise ValueError(f"an option is NAME=VALUE, got {wrong[0]!r}")
    return dict(text.split("=", 1) for text in texts)


def _rows(first: Mapping[str, int], second: Mapping[str, int]) -> list[dict[str, Any]]:
    both = [chip for chip in first if chip in second]
    if not both:
        raise ValueError(f"no chip is in both: {', '.join(first)} and {', '.join(second)}")
    return [
        {"chip": chip, "first_us": first[chip], "second_us": second[chip], "ratio": second[chip] / first[chip]}
        for chip in both
    ]


def _only_one(first: Mapping[str, int], second: Mapping[str, int]) -> list[str]:
    only = sorted(first.keys() ^ second.keys())
    return [f"only in one of them: {', '.join(only)}"] if only else []
