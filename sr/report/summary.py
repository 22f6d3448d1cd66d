"""A report as flat numbers, as experiment trackers need them."""

from typing import Any

from sr.report.record import Report
from sr.report.table import estimates_ms


def flat_numbers(report: Report) -> dict[str, float]:
    """Return the numbers of a report under names of three parts; training logs names of two.

    Returns:
        {"float/set5/psnr_y_db": 37.1, "report/cost/parameters": 22860.0, "report/training/seconds": ...,
        "report/estimate/SA8775P_ms": 0.865, "report/certificate/holds": 1.0}; infinite scores are left out.
    """
    scores = {
        f"{stage}/{name}/{key}": value
        for stage, sets in report.quality.items()
        for name, score in sets.items()
        for key, value in score.items()
    }
    costs = {f"report/cost/{key}": _median(value) for key, value in report.cost.items()}
    training = {f"report/training/{key}": value for key, value in report.training.items()}
    estimates = {f"report/estimate/{chip}_ms": ms for chip, ms in estimates_ms(report).items()}
    proof = {"report/certificate/holds": float(holds(report))} if certificate(report) else {}
    everything = scores | costs | training | estimates | proof
    numbers = {key: value for key, value in everything.items() if isinstance(value, (int, float))}
    return {key: float(value) for key, value in numbers.items() if value not in (float("inf"), float("-inf"))}


def _median(value: Any) -> Any:
    """Return the median of a latency; any other value unchanged."""
    return value.get("median_ms") if isinstance(value, dict) else value


def certificate(report: Report) -> list[dict[str, Any]]:
    """Return the comparisons of the export's certificate; empty if nothing was exported."""
    found = [report.export.get(name) for name in ("links", "closeness")]
    return [row for rows in found if isinstance(rows, list) for row in rows]


def holds(report: Report) -> bool:
    """Return whether every comparison of the certificate is within its bound."""
    return all(row.get("holds") for row in certificate(report))
