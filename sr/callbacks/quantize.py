"""Quantize the trained net, and score the simulation."""

from functools import partial
from pathlib import Path
from typing import Any

import lightning
from torch import Tensor, nn

from sr import metrics
from sr.callbacks.evaluate import score_sets
from sr.callbacks.stage import Stage, data_of
from sr.callbacks.weights import NAME as WEIGHTS
from sr.evaluation import evaluate, upscaler
from sr.functional.color import rgb_to_y
from sr.models.net import Net
from sr.quantization.pipeline import check, quantize
from sr.quantization.scheme import Scheme
from sr.tasks.regression import Regression

FOLDER = "quantized"
NAME = f"{FOLDER}/quantized.json"


class Quantize(Stage):
    """Calibrate on training crops, run the scheme's stages, keep the simulation and score it.

    Args:
        scheme: what to do.
        loss: what its training stages minimise.
        protocol: name of the evaluation protocol.
        seed: for stages that draw random numbers.
    """

    result = NAME
    sources = (WEIGHTS,)

    def __init__(self, *, scheme: Scheme, loss: nn.Module, protocol: str, seed: int) -> None:
        self.scheme, self.loss, self.seed = scheme, loss, seed
        self.protocol = metrics.protocol(protocol)

    def check(self, net: Net) -> None:
        """See `Stage.check`."""
        check(net, self.scheme)

    def work(self, trainer: lightning.Trainer, task: Regression, folder: Path) -> dict[str, Any]:
        """Return the scheme's name, what its stages report, and {"simulated": {set: score}}."""
        data = data_of(trainer)
        net = task.deployable()
        sizes = self.scheme.calibration_batches, self.scheme.calibration_batch_size
        simulation = quantize(
            net=net,
            scheme=self.scheme,
            calibration=calibration(data, net, *sizes),
            stream=data.stream,
            loss=self.loss,
            score=partial(self.score, data),
            folder=folder / FOLDER,
            seed=self.seed,
        )
        simulation.save(folder / FOLDER)
        stage = "float" if self.scheme.is_unchanged else "simulated"
        scores = score_sets(upscaler(simulation.net), data, self.protocol, task.scale)
        return {"scheme": self.scheme.name, "figures": simulation.figures, "quality": {stage: scores}}

    def score(self, data: Any, net: Net) -> list[float]:
        """PSNR in dB of a net on each of the images that training is validated on."""
        found = evaluate(upscaler(net), data.val_dataloader(), self.protocol, net.scale)
        return [image.psnr_db for image in found.per_image]


def calibration(data: Any, net: Net, count: int, size: int) -> list[Tensor]:
    """Inputs of the net cut from training images, `count` batches of `size`: LR crops, luma alone for a Y net."""
    crops = data.calibration(count, size, data.lr_patch)
    return [rgb_to_y(batch) for batch in crops] if net.color == "y" else crops
