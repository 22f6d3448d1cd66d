"""Write pictures to look at: chosen test images as every form of the net gives them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from sr.config.checks import count, names
from sr.data.pairs import ImagePair
from sr.evaluation import Upscaler, upscaler
from sr.functional.picture import centre, enlarge, save_png, titled_strip
from sr.models.fingerprint import fingerprint
from sr.models.interpolation import Bicubic
from sr.stages.quantize import simulation_hash, simulation_of
from sr.stages.stage import Job, Outcome, Stage


@dataclass(frozen=True, kw_only=True)
class Images(Stage):
    """Write LR (nearest) | bicubic | float | quantized | HR of chosen test images.

    Whole, a file each, for the dashboard; and a crop of the middle side by side, for the eye and for the logger.

    Args:
        crop: side of the crop in HR pixels.
        names: test images by name, in whichever set they are; none means the first ones.
        first: how many of each set, where no image of it is named.

    Raises:
        ValueError: less than one image or pixel.
    """

    crop: int
    names: Sequence[str]
    first: int
    name = "images"
    result = "images/images.json"
    version = 2
    requires = ("quantize",)

    def __post_init__(self) -> None:
        """Check the settings."""
        count("callbacks.images.first", self.first)
        count("callbacks.images.crop", self.crop)
        names("callbacks.images.names", self.names)

    def check(self, job: Job) -> None:
        """See `Stage.check`; the test sets have the images that are named."""
        for _ in chosen_images(job.images.test_sets(), self.names, self.first):
            pass

    def inputs(self, job: Job) -> dict[str, Any]:
        """See `Stage.inputs`."""
        return {
            "net": fingerprint(job.net),
            "simulation": simulation_hash(job.folder),
            "images": dict(job.images.test_hashes()),
        }

    def work(self, job: Job) -> Outcome:
        """Return the files: the crops side by side, and the whole pictures of each image by their column."""
        net, folder = job.net, job.folder
        upscalers = [upscaler(Bicubic(scale=net.scale)), upscaler(net), upscaler(simulation_of(job).net, net)]
        columns = ["nearest", "bicubic", "float", job.scheme.name, "hr"]
        files, shown = list[str](), dict[str, str]()
        layers = list[dict[str, Any]]()
        titles = ["LR (nearest)", "bicubic", "FP32", job.scheme.name, "HR"]
        for name, pair in chosen_images(job.images.test_sets(), self.names, self.first):
            files.append(f"images/{name}_{pair.name}.png")
            paths = {column: f"images/{name}_{pair.name}/{column}.png" for column in columns}
            crops = dict[str, np.ndarray]()
            # One at a time: five pictures of 24 megapixels take 360 MB.
            for title, path, picture in zip(titles, paths.values(), _pictures(pair, upscalers), strict=True):
                save_png(picture, folder / path)
                crops[title] = centre(picture, self.crop).copy()
            save_png(titled_strip(crops), folder / files[-1])
            one_of_many = any(layer["set"] == name for layer in layers)
            shown[f"test/{name}_{pair.name}" if one_of_many else f"test/{name}"] = files[-1]
            layers.append({"set": name, "image": pair.name, "files": paths})
        written = [*files, *(path for layer in layers for path in layer["files"].values())]
        return Outcome({"files": files, "columns": columns, "layers": layers, "pictures": shown}, written)


def _pictures(pair: ImagePair, upscalers: Sequence[Upscaler]) -> Iterator[np.ndarray]:
    yield enlarge(pair.lr, *pair.hr.shape[:2])
    yield from (upscale(pair.lr) for upscale in upscalers)
    yield pair.hr


def chosen_images(
    sets: Mapping[str, Sequence[ImagePair]], names: Sequence[str], first: int
) -> Iterator[tuple[str, ImagePair]]:
    """Yield (set, image) of the images that are named, and of sets without a named one the first ones.

    Raises:
        ValueError: a name that no set has.
    """
    there = {pair.name for pairs in sets.values() for pair in pairs} if names else set()
    if unknown := [name for name in names if name not in there]:
        listed = ", ".join(sorted(there)[:20])
        raise ValueError(f"callbacks.images.names has {', '.join(unknown)}; the test sets have {listed} ...")
    for name, pairs in sets.items():
        named = [pair for pair in pairs if pair.name in names] if names else []
        yield from ((name, pair) for pair in named or islice(pairs, first))
