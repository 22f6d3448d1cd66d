"""What the net costs."""

from pathlib import Path
from typing import Any

import lightning
import torch

from sr.callbacks.stage import Stage
from sr.callbacks.weights import NAME as WEIGHTS
from sr.cost.count import cost, image_channels, largest_tile
from sr.cost.latency import onnx_latency, torch_latency
from sr.cost.receptive_field import receptive_field
from sr.export.graph.shape import lr_size
from sr.tasks.regression import Regression

NAME = "cost.json"
EXPORTED = "export/pixels.onnx"


class Cost(Stage):
    """Count parameters and work, and time the float net, and what was exported, on this machine's CPU.

    Args:
        target: output resolution, "1080p" or HEIGHTxWIDTH of the LR picture; see `sr.export.graph.shape`.
        num_repeats: timed passes.
        tile_kib: memory that a tile's largest layer has to fit into.
    """

    result = NAME
    sources = (WEIGHTS,)
    also = (EXPORTED,)

    def __init__(self, *, target: str, num_repeats: int, tile_kib: float) -> None:
        self.target, self.num_repeats, self.tile_kib = target, num_repeats, tile_kib

    def work(self, trainer: lightning.Trainer, task: Regression, folder: Path) -> dict[str, Any]:
        """Return {"cost": figures}, units in their names."""
        net = task.deployable()
        height, width = lr_size(self.target, scale=task.scale, multiple=net.size_multiple)
        lr = torch.zeros(1, image_channels(net), height, width)
        repeats = {"num_repeats": self.num_repeats, "num_warmup": 1}
        figures = {
            **cost(net, height, width).to_dict(),
            "receptive_field_px": receptive_field(net),
            "largest_tile_px": largest_tile(net, self.tile_kib),
            "latency_torch_cpu": torch_latency(net, lr, **repeats).to_dict(),
        }
        exported = folder / EXPORTED
        if exported.is_file():
            timed = onnx_latency(exported, height, width, num_threads=torch.get_num_threads(), **repeats)
            figures["latency_onnxruntime_cpu"] = timed.to_dict()
        return {"cost": figures}
