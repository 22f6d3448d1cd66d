"""What quantization did inside the net, and to its pictures: numbers, charts, differences."""

from pathlib import Path
from typing import Any

import lightning
import numpy as np

from sr.callbacks.quantize import FOLDER as QUANTIZED_FOLDER
from sr.callbacks.quantize import NAME as QUANTIZED
from sr.callbacks.quantize import calibration
from sr.callbacks.stage import Stage, data_of
from sr.callbacks.validation_images import log_picture
from sr.evaluation import upscaler
from sr.functional.grid import block_artefacts
from sr.functional.picture import save_png, side_by_side
from sr.quantization import layer_sensitivity, plots
from sr.quantization.integer import IntegerSimulation
from sr.quantization.pipeline import load_simulation
from sr.quantization.scheme import Scheme
from sr.tasks.regression import Regression


class Sensitivity(Stage):
    """Describe every layer and the s x s grid in the pictures; draw layers, ranges, weights and differences.

    Args:
        scheme: the scheme that the run was quantized with; of a float net nothing is described.
        num_crops: calibration crops that go through the net for each layer.
        amplify: what differences of float and quantized pictures are multiplied by to be seen.
    """

    result = "sensitivity/sensitivity.json"
    sources = (QUANTIZED,)

    def __init__(self, *, scheme: Scheme, num_crops: int, amplify: int) -> None:
        self.scheme, self.num_crops, self.amplify = scheme, num_crops, amplify

    def work(self, trainer: lightning.Trainer, task: Regression, folder: Path) -> dict[str, Any]:
        """Return {"layers": [...], "blocks": {image: {...}}}."""
        if self.scheme.is_float:
            return {"layers": [], "blocks": {}}
        net, data = task.deployable(), data_of(trainer)
        simulation = load_simulation(net=net, scheme=self.scheme, folder=folder / QUANTIZED_FOLDER)
        assert isinstance(simulation, IntegerSimulation)
        layers = layer_sensitivity.layer_sensitivities(simulation, net, calibration(data, net, 1, self.num_crops))
        pictures = {
            name: draw(layers, f"{type(net).__name__}, {self.scheme.name}")
            for name, draw in plots.SENSITIVITY_CHARTS.items()
        }
        blocks = {}
        for pair in data.val_dataloader():
            float_sr, sr = upscaler(net)(pair.lr), upscaler(simulation.net)(pair.lr)
            blocks[pair.name] = block_artefacts(float_sr, sr, pair.hr, task.scale)
            difference = (128 + self.amplify * (sr.astype(np.int16) - float_sr)).clip(0, 255).astype(np.uint8)
            pictures.setdefault("difference", side_by_side(float_sr, sr, difference))
        for name, picture in pictures.items():
            save_png(picture, folder / "sensitivity" / f"{name}.png")
            log_picture(trainer, f"sensitivity/{name}", picture)
        return {"layers": layers, "blocks": blocks}
