"""Quantization-aware training: a short fit of the simulated net at very small learning rates."""

from dataclasses import dataclass

from sr.models.net import Net
from sr.quantization.qat_settings import QatSettings
from sr.quantization.qat_task import teacher_of
from sr.quantization.qat_training import fit_qat
from sr.quantization.simulation import Simulation
from sr.quantization.steps import StepInputs


@dataclass(frozen=True, kw_only=True)
class Qat(QatSettings):
    """Train weights and ranges of a calibrated simulation with Adam, with checkpoints of its own.

    The result is the best checkpoint on the held-out images, the start included, unless its lead over the last one is
    within chance. So a net never becomes clearly worse there. All computation is in fp32: bf16 has 8 bits of mantissa,
    too few for the 256 levels of a grid. The arguments are those of `QatSettings`.
    """

    def check(self, net: Net) -> None:
        """Raise ValueError if the teacher is missing, or has another scale or colour than the net."""
        if self.teacher:
            teacher_of(self.teacher, net)

    def __call__(self, simulation: Simulation, inputs: StepInputs) -> Simulation:
        """Train the simulation in place, or continue from the checkpoint in the step's folder.

        Raises:
            ValueError: The loss is not a number (the message has the iteration), the checkpoint is damaged, or the
                teacher is missing or has another scale or colour.
        """
        simulation.figures |= fit_qat(self, simulation, inputs)
        return simulation
