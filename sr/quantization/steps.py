"""Types of the steps of a quantization scheme, and the inputs that a step gets."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from sr.models.net import Net

HeldOutScore = Callable[[Net], Sequence[float]]
Stream = Callable[[int], Iterable[tuple[Tensor, Tensor]]]


@dataclass(frozen=True, kw_only=True)
class StepInputs:
    """Inputs of a repair step; all come from training images, none from a test set.

    Args:
        float_net: Trained net in its inference form and eval mode, after the preparations of the scheme. It is the
            teacher and is never changed.
        calibration: Inputs of the net (N, C, h, w) in [0, 1], cut from training images.
        stream: Function from an iteration to endless batches that start there: uint8 RGB lr (N, 3, h, w) and
            hr (N, 3, s*h, s*w). Batch i depends on i alone, whatever the start.
        loss: Module (sr, hr) -> scalar on floats in [0, 1].
        score: Function from a net to the PSNR of each held-out training image in dB. It selects the best state.
        folder: Folder in which this step keeps what it needs to continue after a kill.
        seed: Seed for steps that draw random numbers.
    """

    float_net: Net
    calibration: Sequence[Tensor]
    stream: Stream
    loss: nn.Module
    score: HeldOutScore
    folder: Path
    seed: int


class RepairStep(Protocol):
    """Step after calibration that recovers accuracy of a simulated net.

    A simulation is typed as `Any` here: it knows its scheme, and the scheme holds its steps.
    """

    @property
    def name(self) -> str:
        """Return the short name, which is also the name of the step's folder."""

    def __call__(self, simulation: Any, inputs: StepInputs) -> Any:
        """Improve a simulation in place and return it, or continue where a killed call stopped.

        Args:
            simulation: A calibrated `sr.quantization.simulation.Simulation`.
            inputs: Images, loss, score, folder and seed.
        """


@runtime_checkable
class Preparation(Protocol):
    """Step before calibration that changes the weights of the float net but not its function."""

    @property
    def name(self) -> str:
        """Return the short name."""

    def prepare(self, net: Net) -> Net:
        """Return another net of the same structure, or the same net; the argument is not changed."""


@runtime_checkable
class NetCheck(Protocol):
    """Step that can tell before training that it does not work for a net."""

    def check(self, net: Net) -> None:
        """Raise ValueError if the scale or colour of the net does not suit; its weights do not matter."""
