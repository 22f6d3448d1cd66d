"""Score the float net, and plain bicubic beside it, on the test sets."""

from pathlib import Path
from typing import Any

import lightning

from sr import metrics
from sr.callbacks.stage import Stage, data_of
from sr.callbacks.weights import NAME as WEIGHTS
from sr.data.module import ImageData
from sr.evaluation import Upscale, evaluate, upscaler
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
        """Return {"quality": {"float" | "bicubic": {set: score}}}."""
        scale = task.scale
        data = data_of(trainer)
        upscalers = {"bicubic": upscaler(Bicubic(scale=scale)), "float": upscaler(task.deployable())}
        return {"quality": {stage: score_sets(each, data, self.protocol, scale) for stage, each in upscalers.items()}}


def score_sets(upscale: Upscale, data: ImageData, protocol: metrics.Protocol, scale: float) -> dict[str, Any]:
    """Score one upscaler on every test set: {set: score}."""
    return {name: evaluate(upscale, pairs, protocol, scale).to_dict() for name, pairs in data.test_sets.items()}
