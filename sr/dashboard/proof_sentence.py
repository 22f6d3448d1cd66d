"""What the certificate of a run proved, in one sentence."""

from collections.abc import Mapping

from sr.report.net_facts import quantized_precision
from sr.report.record import Report

ENGINES = {"crd": "ONNX Runtime", "litert": "LiteRT", "openvino": "OpenVINO", "ncnn": "ncnn"}


def proof_sentence(report: Report) -> str:
    """Say what the certificate of a run proved, or what it failed to; empty without a certificate."""
    rows = [row for key in ("links", "closeness") for row in report.export.get(key) or () if isinstance(row, Mapping)]
    bounded = [row for row in rows if any(row.get(key) is not None for key in ("max_lsb", "max_share", "max_db"))]
    failed = [row for row in bounded if not row.get("holds")]
    if failed:
        pairs = ", ".join(f"{row.get('second')} against {row.get('first')}" for row in failed)
        return f"Not proved: {len(failed)} of {len(bounded)} comparisons of the certificate fail ({pairs})."
    close = [row for row in bounded if row.get("max_db") is not None and row.get("difference_db") is not None]
    if not close:
        return f"Proved: all {len(bounded)} comparisons of the certificate hold." if bounded else ""
    engines = list(dict.fromkeys(_engine(str(row["first"])) for row in close))
    most = max(abs(float(row["difference_db"])) for row in close)
    net = f"{quantized_precision(report).upper()} net" if "simulated" in report.quality else "net"
    return (
        f"Proved: {_listed(engines)} {'compute' if len(engines) > 1 else 'computes'} what the trained {net} does, "
        f"within {max(most, 0.001):.3f} dB of PSNR; all {len(bounded)} comparisons of the certificate hold."
    )


def _engine(form: str) -> str:
    """Return what runs a form of the certificate.

    >>> _engine("crd"), _engine("htp_v73_polyphase"), _engine("phone_qnn_SM8450")
    ('ONNX Runtime', 'the HTP v73 emulator', 'the phone')
    """
    if form.startswith("phone_"):
        return "the phone"
    if form.startswith("htp_"):
        return f"the HTP {form.split('_')[1]} emulator"
    return ENGINES.get(form, form)


def _listed(names: list[str]) -> str:
    """Join names as a sentence does.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
