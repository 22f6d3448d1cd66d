"""What the net costs."""

from pathlib import Path
from typing import Any

import lightning
import torch

from sr.callbacks.stage import Stage
from sr.callbacks.weights import NAME as WEIGHTS
from sr.cost.count import cost, image_channels
from sr.cost.latency import torch_latency
from sr.cost.receptive_field import receptive_field
from sr.export.shape import lr_size
from sr.tasks.regression import Regression

NAME = "cost.json"


class Cost(Stage):
    """Count parameters and work, and time the float net on this machine's CPU.

    Args:
        target: output resolution, "1080p" or HEIGHTxWIDTH of the LR picture; see `sr.export.shape`.
        num_repeats: timed passes.
    """

    result = NAME
    sources = (WEIGHTS,)

    def __init__(self, *, target: str, num_repeats: int) -> None:
        self.target, self.num_repeats = target, num_repeats

    def work(self, trainer: lightning.Trainer, task: Regression, folder: Path) -> dict[str, Any]:
        """Return {"cost": figures}, units in their names."""
        net = task.deployable()
        height, width = lr_size(self.target, scale=task.scale, multiple=net.size_multiple)  # type: ignore[arg-type]
        lr = torch.zeros(1, image_channels(net), height, width)
        latency = torch_latency(net, lr, num_repeats=self.num_repeats, num_warmup=1)
        return {
            "cost": {
                **cost(net, height, width).to_dict(),
                "receptive_field_px": receptive_field(net),
                "latency_torch_cpu": latency.to_dict(),
            }
        }
