"""Training on degraded images beside clean ones."""

import pytest

from sr.bench.degraded import CLEAN, DEGRADED, measure_degraded, rows_of
from sr.bench.interleaved import Span
from sr.bench.sr_loop import Block


def test_both_trainings_are_timed_in_turn(small: list[str]) -> None:
    found = measure_degraded([*small, "data/degradation=jpeg"], num_blocks=1, iterations=2)
    degraded, clean = found.figures["images"]
    assert (degraded["images"], clean["images"]) == (DEGRADED, CLEAN)
    assert degraded["to_clean"] == pytest.approx(degraded["iterations_per_second"] / clean["iterations_per_second"])
    assert found.setting["chain"] == "jpeg"


def test_the_ratio_is_that_of_neighbours() -> None:
    blocks = {
        DEGRADED: [Block(Span(2.0, 1.0), 0.1), Block(Span(8.0, 1.0), 0.1)],
        CLEAN: [Block(Span(1.0, 0.9), 0.0), Block(Span(4.0, 0.9), 0.0)],
    }
    degraded, _ = rows_of(blocks, 10)
    assert degraded["to_clean"] == 0.5 and degraded["to_clean_cpu"] == pytest.approx(0.9)
    assert degraded["loader_wait_share"] == pytest.approx(0.02)


def test_clean_images_alone_are_refused(small: list[str]) -> None:
    with pytest.raises(ValueError, match=r"nothing is degraded; add a degradation, such as data/degradation=codec"):
        measure_degraded(small, num_blocks=1, iterations=2)
