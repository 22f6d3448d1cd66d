"""Score the float net, and plain bicubic beside it, on the test sets."""

from pathlib import Path
from typing import Any

import lightning

from sr import metrics
from sr.callbacks.stage import Stage
from sr.callbacks.weights import NAME as WEIGHTS
from sr.evaluation import evaluate, upscaler
from sr.models.interpolation import Bicubic
from sr.tasks.regression import Regression

NAME = "evaluation/float.json"


class Evaluate(Stage):
    """Score the float net and bicubic on every test set.

    Args:
        protocol: name of the evaluation protocol.
    """

    result = NAME
    sources = (WEIGHTS,)

    def __init__(self, *, protocol: str) -> None:
        self.protocol = metrics.protocol(protocol)

    def work(self, trainer: lightning.Trainer, task: Regression, folder: Path) -> dict[str, Any]:
        """Return {"float" | "bicubic": {set: score}}."""
        scale = task.net.scale
        upscalers = {"bicubic": upscaler(Bicubic(scale=scale)), "float": upscaler(task.deployable())}
        return {
            stage: {
                name: evaluate(upscale, pairs, self.protocol, scale).to_dict()
                for name, pairs in trainer.datamodule.test_sets().items()
            }
            for stage, upscale in upscalers.items()
        }
