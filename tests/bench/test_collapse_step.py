"""All forms in which a net that collapses can train."""

import pytest

from sr.bench.collapse_step import measure_collapse

SIZES = {"batch_size": 2, "lr_patch": 16, "num_steps": 2}


def test_sesr_m5_is_what_is_measured_unless_told() -> None:
    found = measure_collapse(["model.expansion=16", "model.f=8"], **SIZES)
    assert (found.setting["net"], found.setting["m"]) == ("SESR", 5)
    rows = {row["form"]: row for row in found.tables[0].rows}
    assert list(rows) == ["expanded", "masked", "collapsed", "plain"]
    assert rows["collapsed"]["speedup"] == found.figures["speedup"] > 0 and rows["plain"]["overhead"] is None
    assert [found.figures[f"{form}_overhead"] for form in ("mask", "collapse")] == [
        rows[form]["overhead"] for form in ("masked", "collapsed")
    ]


def test_any_overparameterized_net_can_be_measured() -> None:
    found = measure_collapse(["model=quicksrnet_small", "model.f=8", "model.overparameterize=repsr"], **SIZES)
    assert found.setting["net"] == "QuickSRNet" and found.figures["collapsed_cpu_ms"] > 0


@pytest.mark.slow
def test_sesr_m5_trains_faster_with_collapsed_kernels() -> None:
    assert measure_collapse([], batch_size=8, lr_patch=32, num_steps=3).figures["speedup"] > 1.7
