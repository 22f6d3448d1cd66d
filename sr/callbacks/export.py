"""Export the quantized net, prove the export, and score what was exported."""

from pathlib import Path
from typing import Any

import lightning

from sr import metrics
from sr.callbacks.evaluate import score_sets
from sr.callbacks.quantize import FOLDER as QUANTIZED_FOLDER
from sr.callbacks.quantize import NAME as QUANTIZED
from sr.callbacks.stage import Stage, data_of
from sr.export.target import NoExport, Onnx
from sr.models.net import Net
from sr.quantization.pipeline import load_simulation
from sr.quantization.scheme import Scheme
from sr.tasks.regression import Regression

FOLDER = "export"
NAME = f"{FOLDER}/export.json"


class Export(Stage):
    """Write the files of a target with their certificate, and score each runtime on the test sets.

    Args:
        target: what to export for.
        scheme: the scheme that the run was quantized with.
        protocol: name of the evaluation protocol.
    """

    result = NAME
    sources = (QUANTIZED,)

    def __init__(self, *, target: NoExport | Onnx, scheme: Scheme, protocol: str) -> None:
        self.target, self.scheme = target, scheme
        self.protocol = metrics.protocol(protocol)

    def check(self, net: Net) -> None:
        """See `Stage.check`."""
        self.target.check(self.scheme)

    def work(self, trainer: lightning.Trainer, task: Regression, folder: Path) -> dict[str, Any]:
        """Return the certificate's summary and {"quality": {runtime: {set: score}}}."""
        net = task.deployable()
        data = data_of(trainer)
        exported = self.target.export(
            simulation=load_simulation(net=net, scheme=self.scheme, folder=folder / QUANTIZED_FOLDER),
            float_net=net,
            crops=[pair for pairs in data.test_sets.values() for pair in pairs],
            folder=folder / FOLDER,
        )
        upscalers = self.target.upscalers(folder / FOLDER)
        quality = {name: score_sets(each, data, self.protocol, task.scale) for name, each in upscalers.items()}
        return {"export": exported, "quality": quality}
