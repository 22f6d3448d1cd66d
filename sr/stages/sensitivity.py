"""Show what quantization changes: numbers for each layer, charts, and differences of pictures."""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from sr.config.checks import count
from sr.devices.accelerator import training_device
from sr.evaluation import upscaler
from sr.functional.grid import block_artefacts
from sr.functional.picture import save_png, titled_strip
from sr.models.fingerprint import fingerprint
from sr.quantization import layer_sensitivity, plots
from sr.quantization.integer import IntegerSimulation
from sr.stages.quantize import calibration_inputs, simulation_hash, simulation_of
from sr.stages.stage import Job, Outcome, Stage


@dataclass(frozen=True, kw_only=True)
class Sensitivity(Stage):
    """Describe every layer and the s x s grid in the pictures; draw layers, ranges, weights and differences.

    Args:
        num_crops: calibration crops that go through the net for each layer.
        amplify: factor by which differences of float and quantized pictures are multiplied to be seen.

    Raises:
        ValueError: no crops, or a factor below one.
    """

    num_crops: int
    amplify: int
    name = "sensitivity"
    result = "sensitivity/sensitivity.json"
    version = 2
    requires = ("quantize",)

    def __post_init__(self) -> None:
        """Check the settings."""
        count("callbacks.sensitivity.num_crops", self.num_crops)
        count("callbacks.sensitivity.amplify", self.amplify)

    def inputs(self, job: Job) -> dict[str, Any]:
        """See `Stage.inputs`."""
        return {
            "net": fingerprint(job.net),
            "simulation": simulation_hash(job.folder),
            "images": job.images.train_hash(),
        }

    def work(self, job: Job) -> Outcome:
        """Return {"layers": [...], "blocks": {image: {...}}}; empty for a float net."""
        if job.scheme.is_float:
            return Outcome({"layers": [], "blocks": {}})
        device = training_device(job.config["machine"]["accelerator"])
        net, simulation = copy.deepcopy(job.net).to(device), simulation_of(job)
        assert isinstance(simulation, IntegerSimulation)
        simulation.net.to(device)
        crops = [batch.to(device) for batch in calibration_inputs(job.images, net, 1, self.num_crops)]
        layers = layer_sensitivity.layer_sensitivities(simulation, net, crops)
        pictures = {
            name: draw(layers, f"{type(net).__name__}, {job.scheme.name}")
            for name, draw in plots.SENSITIVITY_CHARTS.items()
        }
        blocks = {}
        for pair in job.images.heldout():
            float_sr, sr = upscaler(net)(pair.lr), upscaler(simulation.net, net)(pair.lr)
            blocks[pair.name] = block_artefacts(float_sr, sr, pair.hr, float(net.scale))
            difference = (128 + self.amplify * (sr.astype(np.int16) - float_sr)).clip(0, 255).astype(np.uint8)
            titles = ("FP32", job.scheme.name, f"difference x{self.amplify}")
            strip = titled_strip(dict(zip(titles, (float_sr, sr, difference), strict=True)))
            pictures.setdefault("difference", strip)
        files = {name: f"sensitivity/{name}.png" for name in pictures}
        for name, picture in pictures.items():
            save_png(picture, job.folder / files[name])
        shown = {f"sensitivity/{name}": file for name, file in files.items()}
        return Outcome({"layers": layers, "blocks": blocks, "pictures": shown}, files.values())
