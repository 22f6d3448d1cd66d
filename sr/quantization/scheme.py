"""A quantization scheme as a configuration states it, and what its stages are given to work with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from torch import Tensor, nn

from sr.models.net import Net

if TYPE_CHECKING:
    from sr.quantization.simulation import Simulation

NUMBERS = {"float": (16, 32), "integer": (4, 8, 16)}  # bits that each can have
CALIBRATIONS = ("min_max", "enhanced", "percentile")
Score = Callable[[Net], Sequence[float]]
Stream = Callable[[int], Iterable[tuple[Tensor, Tensor]]]


@dataclass(frozen=True, kw_only=True)
class StageInputs:
    """What a stage may learn from; nothing in it comes from a test set.

    Args:
        float_net: the trained net in its inference form, eval mode, as the preparations of the scheme left it; the
            teacher. Never changed.
        calibration: inputs of the net (N, C, h, w) in [0, 1], cut from training images.
        stream: iteration -> endless batches from there on, uint8 RGB lr (N, 3, h, w) and hr (N, 3, s*h, s*w); batch i
            depends on i alone, whatever the start.
        loss: module (sr, hr) -> scalar, on floats in [0, 1].
        score: net -> PSNR in dB of each held-out training image, by which the best of several states is chosen.
        folder: where this stage keeps what it needs to go on after a kill.
        seed: for stages that draw random numbers of their own.
    """

    float_net: Net
    calibration: Sequence[Tensor]
    stream: Stream
    loss: nn.Module
    score: Score
    folder: Path
    seed: int


class Stage(Protocol):
    """A step after calibration that makes a simulated net better; its `name` is that of its folder."""

    @property
    def name(self) -> str:
        """Short name, also the name of its folder."""

    def __call__(self, simulation: Simulation, material: StageInputs) -> Simulation:
        """Improve a simulation (in place or a new one), or go on where a killed call left off."""


@runtime_checkable
class Preparation(Protocol):
    """A step before calibration that gives the float net other weights for the same function."""

    @property
    def name(self) -> str:
        """Short name."""

    def prepare(self, net: Net) -> Net:
        """Return another net of the same structure, or the same net; the argument is not changed."""


@runtime_checkable
class Selective(Protocol):
    """A step that cannot do its work for every net, and knows before the net is trained."""

    def check(self, net: Net) -> None:
        """Refuse a net whose scale or colour does not suit, by a ValueError; its weights do not matter."""


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """How many bits, how the ranges are found, and what is done about the loss.

    Weights are symmetric signed integers, activations unsigned with an offset, biases 32 bit on the grid of their
    convolution, as the Hexagon HTP has them. Ranges that the net itself fixes (pixels, clips) are never calibrated.

    Args:
        name: word for reports and folders.
        numbers: "integer", or "float": nothing is calibrated and there is no chain.
        weight_bits: 4, 8 or 16; of a float net 32, or 16 as the HTP computes it.
        activation_bits: 8 or 16 (4 is no chip's); of a float net that of its weights.
        per_channel: one scale for each output channel of a convolution, else one for the whole kernel.
        calibration: how a range is taken from calibration crops (and from weights): "min_max" covers all values,
            "enhanced" minimises the expected squared error, "percentile" leaves the rarest values out.
        percentile: share in percent that "percentile" keeps, in (50, 100].
        calibration_batches: how many batches of crops.
        calibration_batch_size: crops in a batch.
        stages: the steps that there are, by name.
        chain: names of those to take, in this order, such as `[cle, adaround, qat]`; preparations come first.

    Raises:
        ValueError: for a value that no simulation has, an unknown step, or a float net with a chain.
    """

    name: str
    numbers: str
    weight_bits: int
    activation_bits: int
    per_channel: bool
    calibration: str
    percentile: float
    calibration_batches: int
    calibration_batch_size: int
    stages: Mapping[str, Stage | Preparation]
    chain: Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "chain", tuple(self.chain))
        self._check("numbers", tuple(NUMBERS))
        self._check("weight_bits", NUMBERS[self.numbers])
        self._check("activation_bits", (8, 16) if self.numbers == "integer" else (self.weight_bits,))
        self._check("calibration", CALIBRATIONS)
        self._check_chain()
        if not 50 < self.percentile <= 100:
            raise ValueError(f"quantization.percentile is a share in (50, 100] percent, got {self.percentile}")
        if not self.is_float and min(self.calibration_batches, self.calibration_batch_size) < 1:
            raise ValueError(
                f"quantization {self.name} needs at least one calibration batch of one crop, "
                f"got {self.calibration_batches} of {self.calibration_batch_size}"
            )

    @property
    def is_float(self) -> bool:
        """Whether no integer is simulated."""
        return self.numbers == "float"

    @property
    def is_unchanged(self) -> bool:
        """Whether this is the float net as it was trained."""
        return self.is_float and self.weight_bits == 32

    @property
    def preparations(self) -> list[Preparation]:
        """The steps before calibration, in order."""
        return [step for step in map(self.stages.__getitem__, self.chain) if isinstance(step, Preparation)]

    @property
    def repairs(self) -> list[Stage]:
        """The steps after calibration, in order."""
        return [step for step in map(self.stages.__getitem__, self.chain) if not isinstance(step, Preparation)]

    def _check(self, key: str, allowed: tuple[object, ...]) -> None:
        got = getattr(self, key)
        if got not in allowed:
            listed = ", ".join(map(str, allowed))
            raise ValueError(
                f"quantization.{key} is one of {listed} (numbers: {self.numbers}); got {got!r} in scheme {self.name}"
            )

    def _check_chain(self) -> None:
        wanted = " -> ".join(self.chain)
        if self.is_float and self.chain:
            raise ValueError(f"quantization {self.name}: a float net has nothing to repair, got {wanted}; set chain=[]")
        if unknown := [name for name in self.chain if name not in self.stages]:
            known = ", ".join(self.stages)
            raise ValueError(f"quantization.chain of {self.name} has {', '.join(unknown)}; the stages are {known}")
        if len(set(self.chain)) < len(self.chain):
            twice = max(self.chain, key=self.chain.count)
            raise ValueError(f"quantization.chain of {self.name} has {twice} twice; give the second a name of its own")
        if any(stage.name != name for name, stage in self.stages.items()):
            names = ", ".join(f"{name}: {stage.name}" for name, stage in self.stages.items())
            raise ValueError(f"each of quantization.stages has the name that it is listed by, got {names}")
        order = [isinstance(self.stages[name], Preparation) for name in self.chain]
        if order != sorted(order, reverse=True):
            first = ", ".join(step.name for step in self.preparations)
            raise ValueError(f"quantization.chain {wanted}: {first} changes the float net and comes before all others")
