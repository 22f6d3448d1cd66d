"""Printing of a certificate: the comparison, what was left out, the compiler's estimates, the engines' times."""

from typing import Any

from rich.console import Console

from sr.export.certificate.proof import proof_table


def print_certificate(certificate: dict[str, Any]) -> None:
    """Print the comparison and the estimates."""
    console = Console()
    console.print(proof_table(certificate))
    compiled = certificate["hexagon"]
    if "skipped" in compiled:
        console.print(f"Hexagon was left out: {compiled['skipped']}", highlight=False, soft_wrap=True)
    for row in compiled.get("estimates", []):
        text = row.get("missing") or "compiler's estimate {estimate_us} us [{lower_us} to {upper_us}]".format(**row)
        line = f"{row['chip']} ({row['product']}, HTP v{row['htp_arch']}, {row['tail']} tail): {text}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for name, report in certificate["engines"].items():
        console.print(f"{name}: {_engine_line(report)}", highlight=False, markup=False, soft_wrap=True)


def _engine_line(report: dict[str, Any]) -> str:
    """Return the report of an engine as one line."""
    if "latency" in report:
        size = "{lr_height}x{lr_width} in {median_ms:.1f} ms on {num_threads} threads of this CPU"
        return size.format(**report["latency"])
    if "latency_ms" in report:
        return "{latency_ms:.3f} ms on the device, largest difference {largest_lsb} LSB".format(**report)
    return report.get("skipped") or report.get("not_sent", "")
