"""Count and time what the net costs."""

import os
from dataclasses import dataclass
from typing import Any

import torch

from sr.config.checks import count, number
from sr.cost.count import cost, image_channels, largest_tile
from sr.cost.latency import onnx_latency, torch_latency
from sr.cost.receptive_field import receptive_field
from sr.export.graph.shape import lr_size
from sr.models.fingerprint import fingerprint
from sr.runs.files import sha256
from sr.stages.pruning_costs import pruning_costs
from sr.stages.stage import Job, Outcome, Stage

EXPORTED_PIXELS = "export/pixels.onnx"


@dataclass(frozen=True, kw_only=True)
class CostOfNet(Stage):
    """Count parameters and work, and time the float net, and what was exported, on this machine's CPU.

    The output resolution is `size` of the config.

    Args:
        num_repeats: timed passes.
        tile_kib: memory that a tile's largest layer has to fit into.

    Raises:
        ValueError: no passes, or no memory.
    """

    num_repeats: int
    tile_kib: float
    name = "cost"
    result = "cost.json"

    def __post_init__(self) -> None:
        """Check the settings."""
        count("callbacks.cost.num_repeats", self.num_repeats)
        number("callbacks.cost.tile_kib", self.tile_kib, above=0)

    def skip_reason(self, job: Job) -> str:
        """See `Stage.skip_reason`; a net without weights is timed like any other."""
        return ""

    def check(self, job: Job) -> None:
        """See `Stage.check`; an image that this machine could not hold is refused."""
        height, width = lr_size(job.config["size"], scale=job.net.scale, multiple=job.net.size_multiple)
        needed = cost(job.net, height, width).peak_layer_kib * 1024 * 4  # fp32
        memory = _memory_bytes()
        if memory and needed > memory:
            raise ValueError(
                f"size={job.config['size']} needs {needed / 1e9:.0f} GB for one layer of this net, and this machine "
                f"has {memory / 1e9:.0f} GB; take a smaller size"
            )

    def inputs(self, job: Job) -> dict[str, Any]:
        """See `Stage.inputs`."""
        exported = job.folder / EXPORTED_PIXELS
        return {
            "net": fingerprint(job.net),
            "exported": sha256(exported) if exported.is_file() else None,
            "unpruned": fingerprint(job.unpruned) if job.unpruned else None,
        }

    def work(self, job: Job) -> Outcome:
        """Return {"cost": figures}, units in their names."""
        net = job.net
        height, width = lr_size(job.config["size"], scale=net.scale, multiple=net.size_multiple)
        lr = torch.zeros(1, image_channels(net), height, width)
        repeats = {"num_repeats": self.num_repeats, "num_warmup": 1}
        figures = {
            **cost(net, height, width).to_dict(),
            "receptive_field_px": receptive_field(net),
            "largest_tile_px": largest_tile(net, self.tile_kib),
            "latency_torch_cpu": torch_latency(net, lr, **repeats).to_dict(),
        }
        exported = job.folder / EXPORTED_PIXELS
        if exported.is_file():
            timed = onnx_latency(exported, height, width, num_threads=torch.get_num_threads(), **repeats)
            figures["latency_onnxruntime_cpu"] = timed.to_dict()
        if job.unpruned:
            figures["pruning"] = pruning_costs(job)
        return Outcome({"cost": figures})


def _memory_bytes() -> int:
    """Return the machine's memory; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
