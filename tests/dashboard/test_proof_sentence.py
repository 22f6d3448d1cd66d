"""What a certificate proved, in words."""

from collections.abc import Callable
from pathlib import Path

from sr.dashboard.proof_sentence import proof_sentence
from sr.report.runs import read_run

MakeRun = Callable[..., Path]


def said(folder: Path) -> str:
    report = read_run(folder).report
    assert report
    return proof_sentence(report)


def link(holds: bool = True, max_lsb: int | None = 2) -> dict:
    return {"first": "crd", "second": "dcr", "max_lsb": max_lsb, "max_share": None, "holds": holds}


def close(first: str, holds: bool = True) -> dict:
    return {"first": first, "second": "simulation", "max_db": 0.1, "difference_db": -0.02, "holds": holds}


def test_engines_are_named_once_with_the_largest_difference(make_run: MakeRun) -> None:
    export = {"links": [link(), link(max_lsb=None)], "closeness": [close("htp_v73"), close("htp_v73_polyphase")]}
    assert said(make_run(export=export)) == (
        "Proved: the HTP v73 emulator computes what the trained INT8 net does, within 0.020 dB of PSNR; "
        "all 3 comparisons of the certificate hold."
    )


def test_a_failed_comparison_is_not_called_proved(make_run: MakeRun) -> None:
    export = {"links": [link(holds=False)], "closeness": [close("crd")]}
    assert said(make_run(export=export)) == (
        "Not proved: 1 of 2 comparisons of the certificate fail (dcr against crd)."
    )


def test_without_a_certificate_there_is_no_sentence(make_run: MakeRun) -> None:
    assert said(make_run(export={})) == ""
    assert said(make_run(run="model_b", export={"links": [link()]})).startswith("Proved: all 1 comparisons")
