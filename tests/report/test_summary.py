"""A report as flat numbers."""

from collections.abc import Callable

from sr.report.record import Report
from sr.report.summary import certificate, flat_numbers, holds


def test_all_numbers_of_a_run_have_names_of_three_parts(make_report: Callable[..., Report]) -> None:
    link = {"first": "simulation", "second": "crd", "holds": True}
    export = {"links": [link], "hexagon": {"estimates": [{"chip": "SA8775P", "estimate_us": 865}]}}
    numbers = flat_numbers(make_report(export=export))
    assert numbers["float/set5/psnr_y_db"] == 36.50
    assert numbers["report/cost/parameters"] == 22860
    assert numbers["report/cost/latency_torch_cpu"] == 246.0
    assert numbers["report/estimate/SA8775P_ms"] == 0.865
    assert numbers["report/certificate/holds"] == 1.0
    assert {name.count("/") for name in numbers} == {2}


def test_one_broken_bound_breaks_the_certificate(make_report: Callable[..., Report]) -> None:
    report = make_report(export={"links": [{"holds": True}], "closeness": [{"holds": False}]})
    assert len(certificate(report)) == 2
    assert not holds(report)


def test_what_no_tracker_can_draw_is_left_out(make_report: Callable[..., Report]) -> None:
    score = {"psnr_y_db": float("inf"), "ssim_y": 1.0, "num_images": 1, "protocol": "y"}
    numbers = flat_numbers(make_report(quality={"float": {"set5": score}}, training={"precision": "bf16"}))
    assert "float/set5/psnr_y_db" not in numbers
    assert "report/training/precision" not in numbers
    assert "report/certificate/holds" not in numbers
