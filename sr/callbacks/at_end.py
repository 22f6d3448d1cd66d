"""Quantize and export at the end of any training with Lightning; `sr.run` has the same as stages after its training."""

from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Callback
from torch import nn

from sr import metrics
from sr.callbacks.datamodule import images_of
from sr.export.target import Onnx
from sr.quantization.scheme import Scheme
from sr.stages.quantize import quantized


class QuantizeAndExport(Callback):
    """Quantize the net with AIMET when training ends, and export it with its certificate.

    Args:
        scheme: what is done, in which numbers.
        target: what it is exported for; None leaves the export out.
        loss: module (sr, hr) -> scalar of the training steps of the scheme.
        protocol: name of the protocol of scores on held-out images.
        seed: of steps that draw random numbers.
    """

    def __init__(self, *, scheme: Scheme, target: Onnx | None, loss: nn.Module, protocol: str, seed: int) -> None:
        self.scheme, self.target, self.loss, self.seed = scheme, target, loss, seed
        self.protocol = metrics.protocol(protocol)

    def on_fit_end(self, trainer: Any, task: Any) -> None:
        """Write `quantized/` and `export/` below the trainer's folder."""
        folder, net = Path(trainer.default_root_dir), task.deployable()
        images = images_of(trainer.datamodule, folder)
        settings: dict[str, Any] = {
            "loss": self.loss,
            "protocol": self.protocol,
            "seed": self.seed,
            "folder": folder / "quantized",
        }
        simulation = quantized(net=net, scheme=self.scheme, images=images, **settings)
        if self.target:
            crops = [pair for pairs in images.test_sets().values() for pair in pairs]
            self.target.export(simulation=simulation, float_net=net, crops=crops, folder=folder / "export")
