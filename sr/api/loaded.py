"""A net ready to upscale: arrays or PIL images in, the same out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sr.evaluation import Upscaler
from sr.upscale.opened_net import OpenedNet, open_net


@dataclass(frozen=True, kw_only=True)
class LoadedNet:
    """A net on a runtime; large images go through it in tiles with exact seams.

    Attributes:
        opened: The net.
    """

    opened: OpenedNet

    @property
    def scale(self) -> float:
        """Return the upscaling factor."""
        return self.opened.scale

    @property
    def upscaler(self) -> Upscaler:
        """Return the function on whole images that `evaluate` scores."""
        return self.opened.upscaler

    def __call__(self, image: Any) -> Any:
        """Upscale an image or a batch of frames.

        Args:
            image: A PIL image; or uint8 RGB (h, w, 3), or frames (N, h, w, 3).

        Returns:
            The same kind: a PIL image; (ceil(s*h), ceil(s*w), 3), or frames of that size.

        Raises:
            ValueError: Not RGB, or not uint8.
        """
        if isinstance(image, Image.Image):
            return Image.fromarray(self.opened(np.array(image.convert("RGB"))))
        if isinstance(image, np.ndarray) and image.ndim == 4:
            return np.stack([self.opened(frame) for frame in image])
        return self.opened(np.asarray(image))

    def __repr__(self) -> str:
        """Return the net, its precision and its runtime."""
        return f"<{self.opened.title}>"


def load(
    source: str | Path,
    *,
    scale: float | None = None,
    precision: str | None = None,
    runtime: str = "auto",
    device: str = "auto",
) -> LoadedNet:
    """Load a trained net to upscale with.

    Args:
        source: Name of a pretrained net (`python -m sr.pretrained` lists them), a run folder, its .safetensors file, or
            an .onnx or .tflite file of this project.
        scale: For a pretrained net; None: 2, else the net's own.
        precision: "fp32" or "int8"; None: fp32, or what the file holds. INT8 gives the pixels of the certified net.
        runtime: "auto", "torch", "onnxruntime", "openvino" or "litert".
        device: Of PyTorch, such as "cuda"; "auto" takes a GPU where there is one.

    Raises:
        ValueError: There is no such net, or the runtime is not installed or does not fit.

    >>> load("quicksrnet_small", scale=3)(np.zeros((8, 10, 3), np.uint8)).shape
    (24, 30, 3)
    """
    opened = open_net(str(source), scale=scale, precision=precision, runtime=runtime, device=device)
    return LoadedNet(opened=opened)
