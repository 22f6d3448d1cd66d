"""Score how natural the pictures look: bicubic, the float net, the quantized net, and the true images beside them."""

from pathlib import Path
from typing import Any

import lightning

from sr import metrics
from sr.callbacks.quantize import FOLDER
from sr.callbacks.quantize import NAME as QUANTIZED
from sr.callbacks.stage import Stage, data_of
from sr.callbacks.weights import NAME as WEIGHTS
from sr.evaluation import PerceptualScores, upscaler
from sr.models.interpolation import Bicubic
from sr.quantization.pipeline import load_simulation
from sr.quantization.scheme import Scheme
from sr.tasks.regression import Regression


class Perceptual(Stage):
    """Measure every test set; nothing where no measure is asked for, no quantized net where there is none.

    Args:
        measures: names of measures, see `sr.evaluation.perceptual_scores`.
        scheme: the scheme that the run was quantized with.
        protocol: name of the evaluation protocol.
        scale: upscaling factor.
    """

    result = "evaluation/perceptual.json"
    sources = (WEIGHTS,)
    also = (QUANTIZED,)

    def __init__(self, *, measures: list[str], scheme: Scheme, protocol: str, scale: float) -> None:
        self.scheme = scheme
        self.scores = PerceptualScores(measures, metrics.protocol(protocol), scale)  # before training: it may refuse

    def work(self, trainer: lightning.Trainer, task: Regression, folder: Path) -> dict[str, Any]:
        """Return {"quality": {stage: {set: {measure: value, "hr_<measure>": value of the true images}}}}."""
        if not self.scores.measures:
            return {}
        net = task.deployable()
        nets = {"bicubic": Bicubic(scale=task.scale), "float": net}
        if (folder / QUANTIZED).is_file() and not self.scheme.is_float:
            nets["simulated"] = load_simulation(net=net, scheme=self.scheme, folder=folder / FOLDER).net
        quality: dict[str, Any] = {stage: {} for stage in nets}
        for name, pairs in data_of(trainer).test_sets.items():
            true = {f"hr_{measure}": value for measure, value in self.scores.evaluate(None, pairs).items()}
            for stage, each in nets.items():
                quality[stage][name] = self.scores.evaluate(upscaler(each), pairs) | true
        return {"quality": quality}
