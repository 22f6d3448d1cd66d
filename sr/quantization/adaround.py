"""AdaRound: learn for each weight whether it is rounded up or down, layer after layer, from the layer's output."""

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sr.export.graph.float_onnx import example_input
from sr.models.net import Net
from sr.quantization.aimet import adaround_on, simulate
from sr.quantization.integer import IntegerSimulation, fix_ranges
from sr.quantization.kept_result import kept_or_made, step_fingerprint
from sr.quantization.simulation import Simulation
from sr.quantization.steps import StepInputs
from sr.quantization.weighted_layers import left_by_pruning
from sr.runs.files import temporary_folder, write_atomically
from sr.runs.silence_logs import silence_prints


@dataclass(frozen=True, kw_only=True)
class AdaRound:
    """Round the weights with AIMET's AdaRound on the float net and the calibration crops; keep weights and ranges.

    Rounding to nearest gives the large centre tap of an identity-initialised net an error that all pixels see. Choosing
    the roundings together removes most of it without training. A weight of exactly zero, which comes from pruning,
    stays zero.

    Args:
        name: Name of the folder and in the report.
        iterations: Optimizer steps per layer.
        regularization: Weight of the term that drives each rounding to up or down.
        warm_start: Share of the iterations before that term counts, in [0, 1).

    Raises:
        ValueError: A count is below one, or a share outside [0, 1).

    Source: Up or Down?, arXiv 2004.10568; QuickSRNet (arXiv 2303.04336) table 4.
    """

    name: str
    iterations: int
    regularization: float
    warm_start: float

    def __post_init__(self) -> None:
        if self.iterations < 1 or not 0 <= self.warm_start < 1 or self.regularization < 0:
            raise ValueError(
                f"{self.name} needs at least 1 iteration, a warm_start in [0, 1) and a regularization of at least 0; "
                f"got {self.iterations}, {self.warm_start} and {self.regularization}"
            )

    def __call__(self, simulation: Simulation, inputs: StepInputs) -> Simulation:
        """Load weights that were rounded now or by an earlier call, and calibrate the activations again."""
        assert isinstance(simulation, IntegerSimulation)
        ranges = inputs.folder / "weights.encodings"
        expected = step_fingerprint(self, simulation.net, inputs)
        weights = kept_or_made(inputs.folder / "weights.pt", expected, lambda: self._round(simulation, inputs, ranges))
        left = {name: mask.cpu() for name, mask in left_by_pruning(inputs.float_net).items()}
        simulation.take_weights({name: value * left.get(name, 1) for name, value in weights.items()}, ranges)
        simulation.calibrate(inputs.calibration)
        return simulation

    def _round(self, simulation: IntegerSimulation, inputs: StepInputs, ranges: Path) -> dict[str, Any]:
        from aimet_torch.adaround.adaround_weight import AdaroundParameters

        def on_our_grid(net: Net) -> Any:
            sim = simulate(net, simulation.scheme)
            fix_ranges(sim, simulation.weight_ranges())
            return sim

        net = copy.deepcopy(inputs.float_net).eval()
        batches = list(inputs.calibration)
        parameters = AdaroundParameters(
            data_loader=batches,
            num_batches=len(batches),
            default_num_iterations=self.iterations,
            default_reg_param=self.regularization,
            default_warm_start=self.warm_start,
            forward_fn=lambda model, images: model(images),
        )
        with temporary_folder(ranges.parent) as folder, _seeded(inputs.seed), silence_prints():
            rounded = adaround_on(on_our_grid).apply_adaround(
                net, example_input(net), parameters, path=str(folder), filename_prefix="weights"
            )
            write_atomically(ranges, (folder / "weights.encodings").read_bytes())
        return {name: value.cpu() for name, value in rounded.state_dict().items()}


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the random numbers within the block, and restore their state after it."""
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(seed)
        yield
