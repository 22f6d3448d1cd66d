"""Export of a float net to ONNX, and the inputs and tensor names that every ONNX export uses."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sr.models.blocks import NUM_CHANNELS, inference_form
from sr.runs.files import write_atomically
from sr.runs.silence_logs import silence_logs

ONNX_INPUT, ONNX_OUTPUT = "input", "output"
EXAMPLE_SIDE = 48  # LR pixels, times the net's size multiple: enough for the deepest pooling of any net
OPSET_FLOAT = 17  # has every float operator of the nets, and old runtimes read it


def export_float(net: nn.Module, path: Path, *, height: int | None, width: int | None) -> None:
    """Write the inference form of a float net: NCHW floats in [0, 1] in and out, depth-to-space in CRD order.

    Args:
        net: Any net of the project, on the CPU.
        path: The ONNX file.
        height: LR height in pixels; None, together with `width`, leaves the size open.
        width: LR width in pixels.

    Raises:
        ValueError: Only one of the two sizes is given.
    """
    net = inference_form(net).eval()
    example, names = (example_input(net, height, width),), onnx_names(height, width)

    def write(temporary: Path) -> None:
        torch.onnx.export(net, example, str(temporary), opset_version=OPSET_FLOAT, **names)

    with silence_logs():
        write_atomically(path, write)


def example_input(net: nn.Module, height: int | None = None, width: int | None = None) -> Tensor:
    """Return grey pixels (1, C, h, w) that a net accepts, on its device.

    Args:
        net: Net that knows its `color`, and its `size_multiple` if that is not 1.
        height: LR height in pixels; by default one that the net accepts.
        width: LR width in pixels.
    """
    side = EXAMPLE_SIDE * int(getattr(net, "size_multiple", 1))
    first = next(net.parameters(), None)
    device = torch.device("cpu") if first is None else first.device
    return torch.full((1, NUM_CHANNELS[str(net.color)], height or side, width or side), 0.5, device=device)


def onnx_names(height: int | None, width: int | None) -> dict[str, Any]:
    """Return the tensor names, the open axes and the exporter of PyTorch's ONNX export, as keyword arguments.

    Args:
        height: LR height in pixels, or None for an open size.
        width: LR width in pixels, or None for an open size.

    Raises:
        ValueError: Only one of the two sizes is given.

    >>> onnx_names(None, None)["dynamic_axes"]["input"]
    {2: 'height', 3: 'width'}
    """
    if (height is None) != (width is None):
        raise ValueError(f"an export needs both height and width or neither, got height={height} width={width}")
    names: dict[str, Any] = {"input_names": [ONNX_INPUT], "output_names": [ONNX_OUTPUT], "dynamo": False}
    if height is None:
        names["dynamic_axes"] = {ONNX_INPUT: {2: "height", 3: "width"}, ONNX_OUTPUT: {2: "sr_height", 3: "sr_width"}}
    return names
