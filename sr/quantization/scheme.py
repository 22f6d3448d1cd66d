"""Quantization scheme: number of bits, calibration method, and the steps that recover accuracy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sr.quantization.steps import Preparation, RepairStep

NUMBERS = {"float": (16, 32), "integer": (4, 8, 16)}  # allowed weight bits
CALIBRATIONS = ("min_max", "enhanced", "percentile")


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """Number of bits, calibration method, and steps that recover accuracy.

    The number formats are those of the Hexagon HTP: weights are symmetric signed integers, activations are unsigned
    integers with an offset, biases are 32-bit integers on the accumulator's grid. Ranges that the net itself fixes
    (pixels, clips) are never calibrated.

    Args:
        name: Name in reports and folders.
        numbers: "integer", or "float" for a net without calibration and without a chain.
        weight_bits: 4, 8 or 16 for integers; 32 or 16 for floats.
        activation_bits: 8 or 16 for integers; equal to `weight_bits` for floats.
        per_channel: True for one scale per output channel of a convolution, False for one per kernel.
        calibration: How a range is taken from crops and weights: "min_max" covers all values, "enhanced" minimises
            the expected squared error, "percentile" leaves out the rarest values.
        percentile: Share of values in percent that "percentile" keeps, in (50, 100].
        calibration_batches: Number of batches of crops.
        calibration_batch_size: Number of crops in a batch.
        stages: All steps by name.
        chain: Names of the steps to run, in order, such as `[cle, adaround, qat]`; preparations come first.

    Raises:
        ValueError: A value that no simulation supports, an unknown step, or a float net with a chain.
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
    stages: Mapping[str, RepairStep | Preparation]
    chain: Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "chain", tuple(self.chain))
        self._check("numbers", tuple(NUMBERS))
        self._check("weight_bits", NUMBERS[self.numbers])
        self._check("activation_bits", (8, 16) if self.numbers == "integer" else (self.weight_bits,))
        self._check("calibration", CALIBRATIONS)
        self._check_chain()
        if not 50 < self.percentile <= 100:
            raise ValueError(f"quantization.percentile must be in (50, 100] percent, got {self.percentile}")
        if not self.is_float and min(self.calibration_batches, self.calibration_batch_size) < 1:
            raise ValueError(
                f"quantization {self.name} needs at least one calibration batch of one crop, "
                f"got {self.calibration_batches} of {self.calibration_batch_size}"
            )

    @property
    def is_float(self) -> bool:
        """Return whether the net computes in floats."""
        return self.numbers == "float"

    @property
    def is_unchanged(self) -> bool:
        """Return whether the net stays as it was trained (fp32)."""
        return self.is_float and self.weight_bits == 32

    @property
    def preparations(self) -> list[Preparation]:
        """Return the steps before calibration, in order."""
        return [step for step in map(self.stages.__getitem__, self.chain) if isinstance(step, Preparation)]

    @property
    def repairs(self) -> list[RepairStep]:
        """Return the steps after calibration, in order."""
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
            raise ValueError(f"quantization {self.name}: a float net needs no steps, got {wanted}; set chain=[]")
        if unknown := [name for name in self.chain if name not in self.stages]:
            known = ", ".join(self.stages)
            raise ValueError(f"quantization.chain of {self.name} has {', '.join(unknown)}; the stages are {known}")
        if len(set(self.chain)) < len(self.chain):
            twice = max(self.chain, key=self.chain.count)
            raise ValueError(f"quantization.chain of {self.name} has {twice} twice; give the second another name")
        if any(stage.name != name for name, stage in self.stages.items()):
            names = ", ".join(f"{name}: {stage.name}" for name, stage in self.stages.items())
            raise ValueError(f"the name of each step in quantization.stages must equal its key, got {names}")
        order = [isinstance(self.stages[name], Preparation) for name in self.chain]
        if order != sorted(order, reverse=True):
            first = ", ".join(step.name for step in self.preparations)
            raise ValueError(
                f"quantization.chain {wanted}: {first} changes the float net, so it must come before all other steps"
            )
