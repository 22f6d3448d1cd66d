"""Settings of quantization-aware training."""

import math
from dataclasses import dataclass

from sr.losses.distillation_loss import check_share

_WORDS = {"parameters": ("all", "biases"), "decay": ("cosine", "step", "constant"), "keep": ("best", "last")}


@dataclass(frozen=True, kw_only=True)
class QatSettings:
    """Settings of a QAT step, see `sr.quantization.qat.Qat`.

    Args:
        name: Name of the folder and in the report.
        parameters: "all", or "biases" to keep weights and ranges fixed.
        iterations: Number of optimizer steps.
        learning_rate: Learning rate of weights and biases. Small values win, because the net is trained already.
        encoding_learning_rate: Learning rate of the ranges that can be learned (weights, and activations without a
            clip). 0 keeps the calibrated ranges and is faster.
        decay: "cosine" to zero, "step" (halved after each quarter of the iterations, as in ABPN), or "constant".
        distillation: Share in [0, 1] of the loss that is measured against a float net's output instead of hr.
        teacher: This float net: the folder of a finished run, its weights, or pretrained/<name>; None for the net that
            is quantized.
        checkpoint_every: Iterations between two checkpoints. Each is scored; a kill loses at most this many.
        keep: "best" checkpoint on the held-out images where its lead is beyond chance, or "last".
        accelerator: "cpu", "gpu" or "auto".

    Raises:
        ValueError: A count below one, a negative rate, an unknown word, or a share outside [0, 1].
    """

    name: str
    parameters: str
    iterations: int
    learning_rate: float
    encoding_learning_rate: float
    decay: str
    distillation: float
    teacher: str | None
    checkpoint_every: int
    keep: str
    accelerator: str

    def __post_init__(self) -> None:
        if min(self.iterations, self.checkpoint_every) < 1:
            raise ValueError(
                f"{self.name} needs iterations and checkpoint_every of at least 1, "
                f"got {self.iterations} and {self.checkpoint_every}"
            )
        if min(self.learning_rate, self.encoding_learning_rate) < 0:
            raise ValueError(
                f"{self.name} needs learning rates of at least 0, "
                f"got {self.learning_rate} and {self.encoding_learning_rate}"
            )
        for key, allowed in _WORDS.items():
            if getattr(self, key) not in allowed:
                raise ValueError(f"{self.name}.{key} is {' or '.join(allowed)}, got {getattr(self, key)!r}")
        check_share(f"{self.name}.distillation", self.distillation)
        if self.teacher and not self.distillation:
            raise ValueError(f"{self.name}.teacher teaches nothing at a distillation of 0; give a share in (0, 1]")

    def factor(self, iteration: int) -> float:
        """Return the factor in [0, 1] that multiplies the learning rates at an iteration."""
        if self.decay == "constant":
            return 1.0
        if self.decay == "step":
            return 0.5 ** (4 * iteration // self.iterations)
        return 0.5 * (1 + math.cos(math.pi * iteration / self.iterations))
