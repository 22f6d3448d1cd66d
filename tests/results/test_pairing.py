"""A published value finds the kept scores of the same net, set, protocol and scheme; others are refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sr.report.published import Published, published
from sr.report.record import Report
from sr.results.kept_estimates import reduced_estimates
from sr.results.pairing import estimates_of, predicted_ms, refuse_other_protocols, scores_of
from tests.report.conftest import CONFIG, score

MakeReport = Callable[..., Report]


def value_of(table: str, quantity: str = "psnr_y_db", **wanted: object) -> Published:
    found = [
        value
        for value in published()
        if (value.source, value.table, value.label, value.quantity) == ("QuickSRNet", table, "f32-m2", quantity)
        and all(getattr(value, key) == item for key, item in wanted.items())
    ]
    return found[0]


def test_scores_stand_beside_the_same_precision(make_report: MakeReport) -> None:
    reports = {"main/a": make_report(training={"iterations": 10, "total_iterations": 2010})}
    (found,) = scores_of(value_of("2", scale=2, precision="fp16"), reports)
    assert (found.name, found.here, found.scheme, found.iterations) == ("main/a", 31.20, "float", 2010)
    (found,) = scores_of(value_of("2", scale=2, precision="int8"), reports)
    assert (found.here, found.scheme) == (31.15, "w8a8_qat")
    assert scores_of(value_of("2", scale=3, precision="fp16"), reports) == []


def test_one_float_net_of_several_schemes_counts_once(make_report: MakeReport) -> None:
    reports = {name: make_report() for name in ("main/a", "main/b")}
    assert [each.name for each in scores_of(value_of("2", scale=2, precision="fp16"), reports)] == ["main/a"]


def test_one_scale_for_a_tensor_stands_only_where_the_source_says_so(make_report: MakeReport) -> None:
    scheme = CONFIG["quantization"] | {"per_channel": False, "chain": [], "name": "w8a8_per_tensor"}
    reports = {"main/a": make_report(config={"quantization": scheme})}
    assert scores_of(value_of("2", scale=2, precision="int8"), reports) == []
    calibrated = value_of("4", precision="int8", scheme={"per_channel": False, "chain": []})
    assert [each.here for each in scores_of(calibrated, reports)] == [31.15]


def test_a_result_of_another_protocol_is_refused(make_report: MakeReport) -> None:
    refuse_other_protocols({"main/a": make_report()}, published())
    other = make_report(protocol="rgb", quality={"float": {"bsd100": score(30.0, protocol="rgb")}})
    with pytest.raises(ValueError) as caught:
        refuse_other_protocols({"main/x": other}, published())
    assert str(caught.value) == (
        "main/x is scored under protocol rgb, its published values under y: score the run again with protocol=y, and "
        "keep that result"
    )
    own_set = make_report(protocol="rgb", quality={"float": {"city": score(30.0, protocol="rgb")}})
    refuse_other_protocols({"main/x": own_set}, published())


def test_estimates_and_predictions_of_latencies(grid: Path) -> None:
    kept = {"htp/grid": reduced_estimates(grid)}
    latency = value_of("2", "latency_ms")
    assert [each.by_chip for each in estimates_of(latency, kept)] == [{"SA8775P": 0.4}]
    (share,) = estimates_of(value_of("2", "latency_saved_by_removing_residual_share"), kept)
    assert share.by_chip["SA8775P"] == pytest.approx(0.2)
    assert estimates_of(value_of("6", "latency_ms"), kept) == [], "another size"
    xlsr = kept["htp/grid"].nets[0] | {"model": {"_target_": "sr.models.xlsr.XLSR"}}
    of_xlsr = next(each for each in published() if each.label == "XLSR" and each.table == "3" and not each.set)
    assert estimates_of(of_xlsr, {"htp/x": replace(kept["htp/grid"], nets=[xlsr])}), "XLSR has no choice of color"
    assert predicted_ms(latency) == pytest.approx(latency.value, rel=0.3)
    assert predicted_ms(value_of("2", scale=2)) is None, "no latency"
