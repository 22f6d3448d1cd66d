"""What `sr.run` is measured against: made from the same config."""

import torch

from sr.bench.baseline_loop import BaselineLoop
from sr.bench.basicsr import why_no_basicsr
from sr.bench.loops import image_data_of, iterations_in, other_loops
from sr.bench.setting import composed

CPU = torch.device("cpu")


def test_the_baseline_loop_comes_first(small: list[str]) -> None:
    with composed(small) as (config, folder):
        loops, notes = other_loops(config, image_data_of(config), folder, device=CPU, basicsr_workers=0)
    assert isinstance(loops[0], BaselineLoop)
    assert notes == [why_no_basicsr()] if len(loops) == 1 else loops[1].name.startswith("BasicSR")


def test_a_block_lasts_about_as_long_as_asked() -> None:
    class Loop:
        name = "half a millisecond"

        def run(self, iterations: int) -> None:
            for _ in range(iterations):
                torch.rand(200_000)

    assert iterations_in(Loop(), 0, CPU) == 1
    assert iterations_in(Loop(), 0.2, CPU) > 10
