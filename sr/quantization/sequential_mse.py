"""Sequential MSE: search the weight range of each layer that changes the layer's output least."""

from dataclasses import dataclass
from typing import Any

import torch

from sr.quantization.aimet import sequential_mse_of_any_bits
from sr.quantization.integer import IntegerSimulation
from sr.quantization.kept_result import kept_or_made, step_fingerprint
from sr.quantization.simulation import Simulation
from sr.quantization.steps import StepInputs
from sr.runs.silence_logs import silence_prints


@dataclass(frozen=True, kw_only=True)
class SequentialMse:
    """Search the weight ranges with AIMET: try several on the calibration crops and keep the best per channel.

    It is made for 4 bits, where the largest weight of a channel costs all others their precision. With 8 bits it gains
    little.

    Args:
        name: Name of the folder and in the report.
        candidates: Number of ranges to try, evenly spaced up to the largest weight.

    Raises:
        ValueError: There are fewer than two candidates.

    Source: AIMET's documentation of Sequential MSE.
    """

    name: str
    candidates: int

    def __post_init__(self) -> None:
        if self.candidates < 2:
            raise ValueError(f"{self.name}.candidates must be at least 2, got {self.candidates}")

    def __call__(self, simulation: Simulation, inputs: StepInputs) -> Simulation:
        """Fix the weight ranges, searched now or by an earlier call, and calibrate the activations again."""
        assert isinstance(simulation, IntegerSimulation)
        expected = step_fingerprint(self, simulation.net, inputs)
        ranges = kept_or_made(inputs.folder / "ranges.pt", expected, lambda: self._search(simulation, inputs))
        simulation.fix_weight_ranges(ranges)
        simulation.calibrate(inputs.calibration)
        return simulation

    def _search(self, simulation: IntegerSimulation, inputs: StepInputs) -> dict[str, Any]:
        from aimet_torch.seq_mse import apply_seq_mse

        batches = list(inputs.calibration)
        with sequential_mse_of_any_bits(), silence_prints():
            apply_seq_mse(simulation.aimet, batches, num_candidates=self.candidates, forward_fn=_forward)
        return simulation.weight_ranges()


def _forward(net: torch.nn.Module, images: torch.Tensor) -> None:
    net(images)
