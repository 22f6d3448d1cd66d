"""The quantized net as everyone else sees it. This module's class is the float net, the scheme that changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sr.models.blocks import NUM_CHANNELS
from sr.models.net import Net
from sr.quantization.scheme import Scheme
from sr.quantization.silence_logs import quiet
from sr.runs.files import write_atomically

FILE = "simulation.pt"
INPUT, OUTPUT = "input", "output"  # tensor names in every ONNX file
DUMMY_SIDE = 48  # LR pixels; enough for the deepest pooling of any net here
OPSET_FLOAT = 17  # all float operations of the nets, and old enough for every runtime


class Simulation:
    """A net that computes as its scheme says, and how to keep and export it. This one computes in float.

    Attributes:
        net: the net to run, in eval mode and channels-last; it takes and gives floats, as the float net does.
        scheme: what it was made by.
        figures: numbers for the report (seconds, iterations, losses), filled by calibration and stages.

    Args:
        net: a net in its inference form. It is kept, not copied.
        scheme: its scheme.
    """

    def __init__(self, net: Net, scheme: Scheme) -> None:
        self.net = net.eval().to(memory_format=torch.channels_last)
        self.scheme = scheme
        self.figures: dict[str, float] = {}

    def observe(self, inputs: Sequence[Tensor]) -> None:
        """Set each range that is not pinned from what inputs (N, C, h, w) make of the net; a float net has none."""

    def check_ranges(self) -> None:
        """Refuse ranges that are not numbers.

        Raises:
            ValueError: naming the quantizer.
        """

    def save(self, folder: Path) -> Path:
        """Write weights and ranges into `folder`, whole or not at all, and return the file."""
        content = {"scheme": self._identity(), "figures": self.figures, "state": self.net.state_dict()}
        write_atomically(folder / FILE, lambda path: torch.save(content, path))
        return folder / FILE

    def restore(self, folder: Path) -> None:
        """Take over weights and ranges written by `save`.

        Raises:
            ValueError: the file is missing or damaged, or was made for another scheme or another net.
        """
        path = folder / FILE
        if not path.is_file():
            raise ValueError(f"no quantized net at {path}: run the quantization stage first")
        content = read_plain(path)
        if content["scheme"] != self._identity():
            raise ValueError(
                f"{path} was made by {content['scheme']}, not by {self._identity()}: remove it to quantize anew"
            )
        try:
            self.net.load_state_dict(content["state"])
        except RuntimeError as error:
            what = " ".join(str(error).split())
            raise ValueError(f"{path} belongs to another net ({what}): remove it to quantize anew") from error
        self.figures = content["figures"]

    def snap(self) -> None:
        """Move biases and weights to the nearest integers that hardware has; a float net has no such grid."""

    def encodings(self, version: str) -> dict[str, Any]:
        """Ranges of all tensors as the JSON that Qualcomm's tools read, named as in the exported file.

        Args:
            version: "1.0.0" or "2.0.0" of the format.
        """
        return {"version": version, "encodings": []}

    def export_qdq(self, path: Path, *, height: int | None, width: int | None) -> None:
        """Write an ONNX file, NCHW floats in [0, 1] in and out, with a quantizer wherever the simulation has one.

        Args:
            path: the file.
            height: of lr in pixels; None with `width` None leaves the size open.
            width: of lr in pixels.
        """

        def write(temporary: Path) -> None:
            example = (self.example(height, width),)
            torch.onnx.export(
                self.net,
                example,
                str(temporary),
                opset_version=OPSET_FLOAT,
                **onnx_names(height, width),
            )

        with quiet():
            write_atomically(path, write)

    def example(self, height: int | None = None, width: int | None = None) -> Tensor:
        """An input (1, C, h, w) on the CPU: of the size given, else one that every net accepts."""
        return example_input(self.net, height, width)

    def _identity(self) -> dict[str, Any]:
        scheme = self.scheme
        return {
            "name": scheme.name,
            "numbers": scheme.numbers,
            "weight_bits": scheme.weight_bits,
            "activation_bits": scheme.activation_bits,
            "per_channel": scheme.per_channel,
        }


def example_input(net: Net, height: int | None = None, width: int | None = None) -> Tensor:
    """Grey pixels (1, C, h, w) on the CPU that a net accepts; C and, by default, the size are the net's own."""
    side = DUMMY_SIDE * int(getattr(net, "size_multiple", 1))
    return torch.full((1, NUM_CHANNELS[str(net.color)], height or side, width or side), 0.5)


def onnx_names(height: int | None, width: int | None) -> dict[str, Any]:
    """Names and open axes for the exporter.

    Raises:
        ValueError: when only one of the two sizes is given.
    """
    if (height is None) != (width is None):
        raise ValueError(f"an export needs both height and width or neither, got height={height} width={width}")
    names: dict[str, Any] = {"input_names": [INPUT], "output_names": [OUTPUT], "dynamo": False}
    if height is None:
        names["dynamic_axes"] = {INPUT: {2: "height", 3: "width"}, OUTPUT: {2: "sr_height", 3: "sr_width"}}
    return names


def read_plain(path: Path) -> dict[str, Any]:
    """Read a file of tensors and plain containers.

    Raises:
        ValueError: it is damaged, in one line that says so.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever the unpickler stumbles over in a file that is not whole
        raise ValueError(
            f"{path} is damaged ({type(error).__name__} while reading): remove it to make it again"
        ) from error
