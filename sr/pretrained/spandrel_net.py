"""Exchange of nets with other projects through spandrel, which recognises some forty architectures by their weights."""

import io
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from sr.models.basicsr_names import to_basicsr_names
from sr.models.net import Net
from sr.models.weights import read_weights
from sr.runs.files import write_atomically

SPANDREL_SCALES = (2, 3, 4)
_LOCAL = (
    nn.Conv2d, nn.ConvTranspose2d, nn.PixelShuffle, nn.PixelUnshuffle, nn.Upsample, nn.BatchNorm2d, nn.Identity,
    nn.ReLU, nn.PReLU, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Sequential, nn.ModuleList,
)  # fmt: skip


class SpandrelNet(Net):
    """A net that spandrel built; its class is renamed to the architecture. The output is clipped to [0, 1].

    Args:
        descriptor: spandrel's `ImageModelDescriptor`.

    Raises:
        ValueError: It is no super-resolution of RGB or luma by 2, 3 or 4.
    """

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        channels = descriptor.input_channels
        name = descriptor.architecture.name
        if descriptor.scale not in SPANDREL_SCALES or channels != descriptor.output_channels or channels not in (1, 3):
            raise ValueError(
                f"it holds {name} x{descriptor.scale} of {channels} to {descriptor.output_channels} channels; a net "
                f"for RGB or luma, x{', x'.join(map(str, SPANDREL_SCALES))}, is needed"
            )
        needs = descriptor.size_requirements
        self.body: nn.Module = descriptor.model
        self.scale, self.color = descriptor.scale, "rgb" if channels == 3 else "y"
        self.size_multiple = needs.multiple_of
        self.min_size = max(needs.minimum, 1)
        self.is_local = all(isinstance(layer, _LOCAL) for layer in self.body.modules() if not list(layer.children()))

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, C, h, w) in [0, 1] to sr (N, C, s*h, s*w) in [0, 1]."""
        return self.body(lr).clamp(0, 1)


def save_for_spandrel(net: Net, path: Path) -> Path:
    """Write the weights of a net in the layout that spandrel and chaiNNer read, atomically.

    Args:
        net: A Compact or an RRDBNet.
        path: .safetensors or .pth file.

    Returns:
        The file.

    Raises:
        ValueError: spandrel cannot read this net, or the file has another ending.
    """
    if path.suffix not in (".safetensors", ".pth"):
        raise ValueError(f"{path.name} is no .safetensors or .pth file; spandrel reads these two")
    state = {name: value.detach().clone() for name, value in to_basicsr_names(net).items()}
    content = io.BytesIO()
    if path.suffix == ".safetensors":
        content.write(save(state))
    else:
        torch.save({"params": state}, content)
    write_atomically(path, content.getvalue())
    return path


def load_with_spandrel(path: Path) -> Net:
    """Build the net of a checkpoint; only tensors are read, by PyTorch's safe loader or safetensors.

    Args:
        path: .pth, .pt, .ckpt or .safetensors file.

    Raises:
        ValueError: spandrel is missing, does not know the architecture, or the net is no super-resolution of images.
    """
    state = read_weights(path)
    try:
        from spandrel import MAIN_REGISTRY, ImageModelDescriptor, UnsupportedModelError
    except ImportError as error:
        raise ValueError(
            f"{path} does not contain the config of its net; give the folder of its run. For a net of another project: "
            "pip install 'sr-mobile[interchange]' (spandrel)"
        ) from error
    try:
        descriptor = MAIN_REGISTRY.load(state)
        if not isinstance(descriptor, ImageModelDescriptor):
            raise ValueError("it holds a net that needs a mask")
        made = type(type(descriptor.model).__name__, (SpandrelNet,), {})(descriptor)
    except UnsupportedModelError as error:
        raise ValueError(
            f"{path} does not contain the config of its net, and spandrel does not know its layers; give the folder of "
            "its run, or a file of an architecture that spandrel lists"
        ) from error
    except Exception as error:  # the constructors of forty architectures raise whatever damaged weights lead to
        raise ValueError(f"{path} cannot be opened with spandrel: {' '.join(str(error).split())[:300]}") from error
    return made.eval().requires_grad_(False)
