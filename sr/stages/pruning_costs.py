"""What a net costs: its weights and work, its time on this CPU, and the HTP compiler's estimates."""

import copy
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sr.cost.count import cost, image_channels
from sr.cost.latency import torch_latency
from sr.export.graph.shape import lr_size
from sr.export.hexagon import qnn_session
from sr.export.hexagon_target import Hexagon
from sr.export.target import NoExport, Onnx
from sr.models.net import Net
from sr.quantization.ptq import calibrate
from sr.quantization.scheme import Scheme
from sr.runs.silence_logs import native_output_to
from sr.stages.quantize import calibration_inputs
from sr.stages.stage import Job

REPEATS = 5


def pruning_costs(job: Job) -> dict[str, Any]:
    """Return the figures of a net "before" filter pruning and "after" it."""
    assert job.unpruned is not None
    crops = calibration_inputs(job.images, job.net, 1, 8)
    asked = {"size": job.config["size"], "target": job.target, "scheme": job.scheme, "crops": crops}
    return {"before": figures(job.unpruned, **asked), "after": figures(job.net, **asked)}


def figures(net: Net, *, size: str, target: NoExport | Onnx, scheme: Scheme, crops: Sequence[Tensor]) -> dict[str, Any]:
    """Count and time a net as it would be deployed.

    Args:
        net: in its inference form, on the CPU.
        size: resolution of the output (`sr.export.graph.shape`).
        target: the export; one for Hexagon asks the compiler for its estimates.
        scheme: how the net would be quantized; only ranges are found, nothing is trained.
        crops: inputs (N, C, h, w) in [0, 1] to find them on.

    Returns:
        {"parameters", "macs_g", "latency_torch_cpu", "htp": [estimate of a chip]}, or why there is no estimate.
    """
    height, width = lr_size(size, scale=net.scale, multiple=net.size_multiple)
    counted = cost(net, height, width).to_dict()
    lr = torch.zeros(1, image_channels(net), height, width)
    return {
        "parameters": counted["parameters"],
        "macs_g": counted["macs_g"],
        "latency_torch_cpu": torch_latency(net, lr, num_repeats=REPEATS, num_warmup=1).to_dict(),
        "htp": htp_estimates(net, target=target, scheme=scheme, crops=crops),
    }


def htp_estimates(net: Net, *, target: NoExport | Onnx, scheme: Scheme, crops: Sequence[Tensor]) -> Any:
    """The compiler's estimates for the chips that the export asks for; {"skipped": why} where there are none."""
    if not isinstance(target, Hexagon) or not target.estimates:
        return {"skipped": "the export asks for no estimates; export=hexagon does"}
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "compiler.log"
        with native_output_to(log):
            missing = qnn_session.why_hexagon_is_missing()
        if missing:
            return {"skipped": missing}
    simulation = calibrate(net=copy.deepcopy(net), scheme=scheme, calibration=crops)
    simulation.snap()
    return target.estimate_chips(simulation, net)
