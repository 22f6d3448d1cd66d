"""Sequential MSE: layer after layer, the clipping of its weights that changes what it gives the least."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from sr.quantization.fingerprint import identity, is_ours
from sr.quantization.integer import IntegerSimulation
from sr.quantization.scheme import StageInputs
from sr.quantization.silence_logs import silent
from sr.quantization.simulation import Simulation, read_plain
from sr.runs.files import write_atomically

FILE = "ranges.pt"


@dataclass(frozen=True, kw_only=True)
class SequentialMse:
    """The stage: AIMET tries ranges of each layer's weights on the calibration crops and keeps the best of a channel.

    Made for 4 bits, where the largest weight of a channel costs all others their precision; with 8 it gains little.

    Args:
        name: word for folder and report.
        candidates: ranges to try, evenly up to the largest weight.

    Raises:
        ValueError: fewer than two candidates.

    Source: AIMET's documentation of Sequential MSE.
    """

    name: str
    candidates: int

    def __post_init__(self) -> None:
        if self.candidates < 2:
            raise ValueError(f"{self.name}.candidates must be at least 2, got {self.candidates}")

    def __call__(self, simulation: Simulation, material: StageInputs) -> Simulation:
        """Fix the ranges of the weights, found now or by an earlier call, and calibrate the activations anew."""
        assert isinstance(simulation, IntegerSimulation)
        path = material.folder / FILE
        ours = identity(self, simulation.net, material)
        if not is_ours(path, ours):
            ranges = self._search(simulation, material)
            write_atomically(path, lambda temporary: torch.save({"identity": ours, "ranges": ranges}, temporary))
        simulation.fix_weight_ranges(read_plain(path)["ranges"])
        simulation.observe(material.calibration)
        return simulation

    def _search(self, simulation: IntegerSimulation, material: StageInputs) -> dict[str, Any]:
        from aimet_torch.seq_mse import apply_seq_mse

        batches = list(material.calibration)
        with _any_bits(), silent():
            apply_seq_mse(simulation.aimet, batches, num_candidates=self.candidates, forward_fn=_forward)
        return simulation.weight_ranges()


def _forward(net: torch.nn.Module, images: torch.Tensor) -> None:
    net(images)


@contextmanager
def _any_bits() -> Iterator[None]:
    """AIMET passes layers of more than 4 bits over without a word."""
    from aimet_torch._base import seq_mse

    before, seq_mse.SUPPORTED_PARAM_BW = seq_mse.SUPPORTED_PARAM_BW, 16
    try:
        yield
    finally:
        seq_mse.SUPPORTED_PARAM_BW = before
