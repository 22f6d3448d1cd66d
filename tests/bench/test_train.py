"""The whole comparison, in small: which loops, which figures, which words."""

import pytest

from sr.bench.basicsr import why_no_basicsr
from sr.bench.interleaved import Span
from sr.bench.train import Trained, measure_train


def test_loops_take_turns(small: list[str]) -> None:
    found = measure_train(small, num_blocks=2, iterations=7, seconds=0.05, basicsr_workers=0)
    rows = {row["loop"]: row for row in found.figures["loops"]}
    ours, baseline = rows["sr.run"], rows["plain PyTorch loop"]
    assert found.setting["iterations_per_block"] == 10  # whole chunks of 5
    assert 0 < ours["lowest_per_second"] <= ours["iterations_per_second"] <= ours["highest_per_second"]
    assert 0 < ours["loader_wait_share"] < 1
    assert 0 < baseline["sr_run_to_this_lowest"] <= baseline["sr_run_to_this"] <= baseline["sr_run_to_this_highest"]
    assert baseline["sr_run_to_this_cpu"] > 0
    assert [len(each["cpu_ms"]) for each in found.figures["blocks"].values()] == [2] * len(rows)
    missing = why_no_basicsr()
    assert (missing in found.tables[0].notes) if missing else len(rows) == 3


def test_a_scale_without_basicsr_is_said(small: list[str]) -> None:
    found = measure_train([*small, "scale=1.5"], num_blocks=1, iterations=5, seconds=0.01, basicsr_workers=0)
    assert len(found.figures["loops"]) == 2
    assert found.tables[0].notes[0].startswith("BasicSR was left out: ")


def test_another_recipe_and_schedule_are_measured_as_they_are(small: list[str]) -> None:
    overrides = [*small, "scheduler=one_cycle", "model=sesr_m3", "train.ema_decay=0", "train.precision=fp32"]
    overrides = [text for text in overrides if not text.startswith("model.") and text != "model=quicksrnet_small"]
    sizes = ["model.f=8", "model.m=1", "model.expansion=16"]
    found = measure_train([*overrides, *sizes], num_blocks=1, iterations=5, seconds=0.01, basicsr_workers=0)
    assert found.setting["net"].startswith("SESR color=y")
    assert (found.setting["precision"], found.setting["ema_decay"]) == ("fp32", 0)


def test_rates_are_per_block() -> None:
    trained = Trained("a", 10, [Span(1.0, 2.0), Span(0.5, 1.0)])
    assert trained.rates() == [10, 20]
    assert trained.cpu_ms() == [200, 100]


def test_images_that_cannot_be_used_are_named(small: list[str]) -> None:
    with pytest.raises(ValueError, match="smaller than a patch of 64x64"):
        measure_train([*small, "data.lr_patch=64"], num_blocks=1, iterations=5, seconds=0.01, basicsr_workers=0)
