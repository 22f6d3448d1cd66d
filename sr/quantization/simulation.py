"""Simulation of a quantized net; the class of this module is the float net, the scheme that changes nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sr.export.graph.float_onnx import example_input, export_float
from sr.models.net import Net
from sr.quantization.scheme import Scheme
from sr.runs.files import write_atomically

SIMULATION_FILE = "simulation.pt"


class Simulation:
    """Net that computes as its scheme says, with methods to save and export it. This class computes in float.

    Attributes:
        net: Net to run, in eval mode and channels-last; floats in and out, as the float net.
        scheme: Scheme that it was made by.
        figures: Numbers for the report (seconds, iterations, losses), filled by calibration and steps.

    Args:
        net: Net in its inference form. It is kept, not copied.
        scheme: Its scheme.
    """

    def __init__(self, net: Net, scheme: Scheme) -> None:
        self.net = net.eval().to(memory_format=torch.channels_last)
        self.scheme = scheme
        self.figures: dict[str, float] = {}

    def calibrate(self, inputs: Sequence[Tensor]) -> None:
        """Set each range that is not pinned from the values that occur; a float net has no ranges.

        Args:
            inputs: Inputs of the net (N, C, h, w) in [0, 1].
        """

    def check_ranges(self) -> None:
        """Check that every range is a finite number.

        Raises:
            ValueError: A range is not; the message names the quantizer.
        """

    def save(self, folder: Path) -> Path:
        """Write weights and ranges into `folder` atomically and return the file."""
        content = {"scheme": self._identity(), "figures": self.figures, "state": self.net.state_dict()}
        write_plain(folder / SIMULATION_FILE, content)
        return folder / SIMULATION_FILE

    def restore(self, folder: Path) -> None:
        """Load the weights and ranges that `save` wrote.

        Raises:
            ValueError: The file is missing or damaged, or was made for another scheme or another net.
        """
        path = folder / SIMULATION_FILE
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
        """Round biases and weights to the integers that hardware has; a float net has no such grid."""

    def encodings(self, version: str) -> dict[str, Any]:
        """Return the ranges of all tensors as the JSON that Qualcomm's tools read, named as in the exported file.

        Args:
            version: Version of the format, "1.0.0" or "2.0.0".
        """
        return {"version": version, "encodings": []}

    def export_qdq(self, path: Path, *, height: int | None, width: int | None) -> None:
        """Write an ONNX file with a quantizer for each one of the simulation; NCHW floats in [0, 1] in and out.

        Args:
            path: The file.
            height: LR height in pixels; None, together with `width`, leaves the size open.
            width: LR width in pixels.
        """
        export_float(self.net, path, height=height, width=width)

    def example(self, height: int | None = None, width: int | None = None) -> Tensor:
        """Return an input (1, C, h, w) on the net's device, of the given size or of one that every net accepts."""
        return example_input(self.net, height, width)

    def _identity(self) -> dict[str, Any]:
        keys = ("name", "numbers", "weight_bits", "activation_bits", "per_channel")
        return {key: getattr(self.scheme, key) for key in keys}


def write_plain(path: Path, content: dict[str, Any]) -> None:
    """Write tensors and plain containers to a file, atomically.

    Raises:
        OSError: The file cannot be written.
    """

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:  # a file of Python's reports a full disk as an OSError with its number
            torch.save(content, file)

    write_atomically(path, write)


def read_plain(path: Path) -> dict[str, Any]:
    """Read a file of tensors and plain containers.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises errors of many classes for a damaged file
        raise ValueError(
            f"{path} is damaged ({type(error).__name__} while reading): remove it to make it again"
        ) from error
