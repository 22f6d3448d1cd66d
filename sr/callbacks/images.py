"""Pictures to look at: how each test set's first image comes out of every stage."""

from pathlib import Path
from typing import Any

import lightning

from sr.callbacks.quantize import FOLDER
from sr.callbacks.quantize import NAME as QUANTIZED
from sr.callbacks.stage import Stage, data_of
from sr.callbacks.triptych import log_picture
from sr.evaluation import upscaler
from sr.functional.picture import centre, enlarge, save_png, side_by_side
from sr.models.interpolation import Bicubic
from sr.quantization.chain import load
from sr.quantization.scheme import Scheme
from sr.tasks.regression import Regression


class Images(Stage):
    """Write LR (nearest) | bicubic | float | quantized | HR of the first image of each test set.

    Whole, a file each, for the dashboard; and a crop of the middle side by side, for the eye and for the logger.

    Args:
        scheme: the scheme that the run was quantized with.
        crop: side of the crop in HR pixels.
    """

    result = "images/images.json"
    sources = (QUANTIZED,)

    def __init__(self, *, scheme: Scheme, crop: int) -> None:
        self.scheme, self.crop = scheme, crop

    def work(self, trainer: lightning.Trainer, task: Regression, folder: Path) -> dict[str, Any]:
        """Return the files: the crops side by side, and the whole pictures of each image by their column."""
        net = task.deployable()
        simulation = load(net=net, scheme=self.scheme, folder=folder / FOLDER)
        upscalers = [upscaler(each) for each in (Bicubic(scale=task.scale), net, simulation.net)]
        columns = ["nearest", "bicubic", "float", self.scheme.name, "hr"]
        files, layers = [], []
        for name, pairs in data_of(trainer).test_sets().items():
            pair = pairs[0]
            pictures = [enlarge(pair.lr, *pair.hr.shape[:2]), *(upscale(pair.lr) for upscale in upscalers), pair.hr]
            picture = side_by_side(*(centre(each, self.crop) for each in pictures))
            files.append(f"images/{name}_{pair.name}.png")
            save_png(picture, folder / files[-1])
            paths = {column: f"images/{name}_{pair.name}/{column}.png" for column in columns}
            for path, whole in zip(paths.values(), pictures, strict=True):
                save_png(whole, folder / path)
            layers.append({"set": name, "image": pair.name, "files": paths})
            log_picture(trainer, f"test/{name}", picture)
        return {"files": files, "columns": columns, "layers": layers}
