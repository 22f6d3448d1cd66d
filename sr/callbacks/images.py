"""Pictures to look at: how chosen test images come out of every stage."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import lightning

from sr.callbacks.quantize import FOLDER
from sr.callbacks.quantize import NAME as QUANTIZED
from sr.callbacks.stage import Stage, data_of
from sr.callbacks.validation_images import log_picture
from sr.data.pairs import ImagePair
from sr.evaluation import upscaler
from sr.functional.picture import centre, enlarge, save_png, side_by_side
from sr.models.interpolation import Bicubic
from sr.quantization.pipeline import load_simulation
from sr.quantization.scheme import Scheme
from sr.tasks.regression import Regression


class Images(Stage):
    """Write LR (nearest) | bicubic | float | quantized | HR of chosen test images.

    Whole, a file each, for the dashboard; and a crop of the middle side by side, for the eye and for the logger.

    Args:
        scheme: the scheme that the run was quantized with.
        crop: side of the crop in HR pixels.
        names: test images by name, in whichever set they are; none means the first ones.
        first: how many of each set, where no image of it is named.

    Raises:
        ValueError: a name that no test set has, or less than one image.
    """

    result = "images/images.json"
    sources = (QUANTIZED,)

    def __init__(self, *, scheme: Scheme, crop: int, names: Sequence[str], first: int) -> None:
        if first < 1:
            raise ValueError(f"callbacks.images.first is the number of images to show of each set, got {first}")
        self.scheme, self.crop, self.names, self.first = scheme, crop, list(names), first

    def work(self, trainer: lightning.Trainer, task: Regression, folder: Path) -> dict[str, Any]:
        """Return the files: the crops side by side, and the whole pictures of each image by their column."""
        net = task.deployable()
        simulation = load_simulation(net=net, scheme=self.scheme, folder=folder / FOLDER)
        upscalers = [upscaler(each) for each in (Bicubic(scale=task.scale), net, simulation.net)]
        columns = ["nearest", "bicubic", "float", self.scheme.name, "hr"]
        files, layers = [], []
        for name, pair in self._chosen(data_of(trainer).test_sets):
            pictures = [enlarge(pair.lr, *pair.hr.shape[:2]), *(upscale(pair.lr) for upscale in upscalers), pair.hr]
            picture = side_by_side(*(centre(each, self.crop) for each in pictures))
            files.append(f"images/{name}_{pair.name}.png")
            save_png(picture, folder / files[-1])
            paths = {column: f"images/{name}_{pair.name}/{column}.png" for column in columns}
            for path, whole in zip(paths.values(), pictures, strict=True):
                save_png(whole, folder / path)
            layers.append({"set": name, "image": pair.name, "files": paths})
            one_of_many = any(layer["set"] == name for layer in layers[:-1])
            log_picture(trainer, f"test/{name}_{pair.name}" if one_of_many else f"test/{name}", picture)
        return {"files": files, "columns": columns, "layers": layers}

    def _chosen(self, sets: Mapping[str, Sequence[ImagePair]]) -> Iterator[tuple[str, ImagePair]]:
        there = {pair.name for pairs in sets.values() for pair in pairs}
        if unknown := [name for name in self.names if name not in there]:
            listed = ", ".join(sorted(there)[:20])
            raise ValueError(f"callbacks.images.names has {', '.join(unknown)}; the test sets have {listed} ...")
        for name, pairs in sets.items():
            named = [pair for pair in pairs if pair.name in self.names]
            yield from ((name, pair) for pair in named or islice(pairs, self.first))
