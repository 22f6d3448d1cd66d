"""A quantization scheme as a configuration states it, and what its stages are given to work with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from torch import Tensor, nn

if TYPE_CHECKING:
    from sr.quantization.simulation import Simulation

FLOAT_BITS = 32
CALIBRATIONS = ("min_max", "enhanced", "percentile")
Stream = Callable[[int], Iterable[tuple[Tensor, Tensor]]]


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a stage may learn from; nothing in it comes from a test set.

    Args:
        float_net: the trained net in its inference form, eval mode; the teacher. Never changed.
        calibration: inputs of the net (N, C, h, w) in [0, 1], cut from training images.
        stream: iteration -> endless batches from there on, uint8 RGB lr (N, 3, h, w) and hr (N, 3, s*h, s*w); batch i
            depends on i alone, whatever the start.
        loss: module (sr, hr) -> scalar, on floats in [0, 1].
        folder: where this stage keeps what it needs to go on after a kill.
        seed: for stages that draw random numbers of their own.
    """

    float_net: nn.Module
    calibration: Sequence[Tensor]
    stream: Stream
    loss: nn.Module
    folder: Path
    seed: int


class Stage(Protocol):
    """A step after calibration that makes a simulated net better; its `name` is that of its folder."""

    @property
    def name(self) -> str:
        """Short name, also the name of its folder."""

    def __call__(self, simulation: Simulation, material: Material) -> Simulation:
        """Improve a simulation (in place or a new one), or go on where a killed call left off."""


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """How many bits, how the ranges are found, and what is done about the loss.

    Weights are symmetric signed integers, activations unsigned with an offset, biases 32 bit on the grid of their
    convolution, as the Hexagon HTP has them. Ranges that the net itself fixes (pixels, clips) are never calibrated.

    Args:
        name: word for reports and folders.
        weight_bits: 4, 8 or 16; 32 is the float net, which has no calibration and no stages.
        activation_bits: 8 or 16; 32 with the float net.
        per_channel: one scale for each output channel of a convolution, else one for the whole kernel.
        calibration: how a range is taken from calibration crops (and from weights): "min_max" covers all values,
            "enhanced" minimises the expected squared error, "percentile" leaves the rarest values out.
        percentile: share in percent that "percentile" keeps, in (50, 100].
        calibration_batches: how many batches of crops.
        calibration_batch_size: crops in a batch.
        stages: what follows calibration, in this order, e.g. `[AdaRound, Qat]`.

    Raises:
        ValueError: for a value that no simulation has, or a float net with stages.
    """

    name: str
    weight_bits: int
    activation_bits: int
    per_channel: bool
    calibration: str
    percentile: float
    calibration_batches: int
    calibration_batch_size: int
    stages: Sequence[Stage]

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        self._check("weight_bits", (4, 8, 16, FLOAT_BITS))
        self._check("activation_bits", (8, 16, FLOAT_BITS))
        self._check("calibration", CALIBRATIONS)
        if (self.weight_bits == FLOAT_BITS) != (self.activation_bits == FLOAT_BITS):
            raise ValueError(
                f"quantization {self.name}: weight_bits={self.weight_bits}, activation_bits={self.activation_bits}; "
                f"{FLOAT_BITS} means the float net and goes with {FLOAT_BITS} only"
            )
        if self.is_float and self.stages:
            got = ", ".join(stage.name for stage in self.stages)
            raise ValueError(
                f"quantization {self.name}: a float net has nothing for stages to do, got {got}; set stages=[]"
            )
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError(
                f"quantization {self.name} has two stages named {max(names, key=names.count)}; give each its name"
            )
        if not 50 < self.percentile <= 100:
            raise ValueError(f"quantization.percentile is a share in (50, 100] percent, got {self.percentile}")
        if not self.is_float and min(self.calibration_batches, self.calibration_batch_size) < 1:
            raise ValueError(
                f"quantization {self.name} needs at least one calibration batch of one crop, "
                f"got {self.calibration_batches} of {self.calibration_batch_size}"
            )

    @property
    def is_float(self) -> bool:
        """Whether this is the float net: nothing is simulated."""
        return self.weight_bits == FLOAT_BITS

    def _check(self, key: str, allowed: tuple[object, ...]) -> None:
        got = getattr(self, key)
        if got not in allowed:
            listed = ", ".join(map(str, allowed))
            raise ValueError(f"quantization.{key} is one of {listed}; got {got!r} in scheme {self.name}")
