"""Perceptual loss: the distance of two images in the features of a classification net (VGG19 or SqueezeNet)."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sr.runs.folders import expand_home

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN = (123.0, 117.0, 104.0)  # RGB, pixels in [0, 255]; SqueezeNet's training prototxt
CRITERIA = {"l1": F.l1_loss, "l2": F.mse_loss}


def _vgg19_layers() -> dict[str, int]:
    """Return the index in torchvision's `features` of each convolution and ReLU: conv5_4 is 34, relu5_4 is 35."""
    names: dict[str, int] = {}
    position = 0
    for block, num_convs in enumerate((2, 2, 4, 4, 4), 1):
        for i in range(1, num_convs + 1):
            names |= {f"conv{block}_{i}": position, f"relu{block}_{i}": position + 1}
            position += 2
        position += 1  # the pooling
    return names


LAYERS: dict[str, dict[str, int]] = {
    "vgg19": _vgg19_layers(),
    "squeezenet1_0": {
        "conv1": 0, "relu1": 1, "fire2": 3, "fire3": 4, "fire4": 5, "fire5": 7, "fire6": 8, "fire7": 9, "fire8": 10,
        "fire9": 12,
    },
}  # fmt: skip


class PerceptualLoss(nn.Module):
    """Compute the weighted distance of sr and hr in chosen layers of a frozen ImageNet classifier.

    The weights of the classifier are non-persistent buffers, so no optimizer or checkpoint contains them.

    Args:
        network: "vgg19", or "squeezenet1_0", which is 30 times lighter.
        weights: File of weights with torchvision's names, or SqueezeNet's with Caffe's names. Caffe's pixel format (BGR
            in [0, 255], mean subtracted) is then folded into the first convolution. None takes torchvision's weights
            from its cache or downloads them.
        layers: Layer -> weight. VGG19: "conv5_4" is before the activation (ESRGAN), "relu5_4" after it (SRGAN's
            "VGG54"), likewise for the other layers. SqueezeNet: "relu1", "fire2" to "fire9".
        criterion: "l1" or "l2", averaged over the features.

    Raises:
        ValueError: If a name is unknown, no layer has a weight, or the weights are missing or do not fit.

    Source: SRGAN (arXiv 1609.04802) equation 5, ESRGAN (arXiv 1809.00219) section 3.3.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, *, network: str, weights: str | None, layers: Mapping[str, float], criterion: str) -> None:
        super().__init__()
        if network not in LAYERS or criterion not in CRITERIA:
            raise ValueError(
                f"task.perceptual.network must be {' or '.join(LAYERS)} and criterion {' or '.join(CRITERIA)}, "
                f"got {network!r} and {criterion!r}"
            )
        unknown = [name for name in layers if name not in LAYERS[network]]
        if unknown or not any(layers.values()):
            raise ValueError(f"give layers of {network} ({', '.join(LAYERS[network])}), got {unknown or 'none'}")
        self.weight_of = {LAYERS[network][name]: weight for name, weight in layers.items() if weight}
        self.criterion = CRITERIA[criterion]
        self.features = _frozen(_features(network, weights)[: max(self.weight_of) + 1])
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Return the distance, a scalar >= 0, of sr and hr (N, 3, H, W), or luma (N, 1, H, W), in [0, 1].

        The gradient flows to `sr` only.
        """
        with torch.no_grad():
            wanted = self.describe(hr)
        got = self.describe(sr)
        terms = [self.weight_of[i] * self.criterion(got[i], wanted[i]) for i in self.weight_of]
        return torch.stack(terms).sum()

    def describe(self, images: Tensor) -> dict[int, Tensor]:
        """Return the features of images (N, 3 or 1, H, W) in [0, 1] by the index of each chosen layer."""
        x, found = (images.expand(-1, 3, -1, -1) - self.mean) / self.std, {}
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in self.weight_of:
                found[i] = x
        return found

    def train(self, mode: bool = True) -> "PerceptualLoss":
        """Keep the net in evaluation mode; `mode` is ignored."""
        return super().train(False)


class NoPerceptualLoss(nn.Module):
    """Return zero: no perceptual loss.

    Example:
        >>> NoPerceptualLoss()(torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)).item()
        0.0
    """

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Return a scalar 0."""
        return sr.new_zeros(())


def _features(network: str, weights: str | None) -> nn.Sequential:
    """Build the convolutional part of a net with its weights."""
    from torchvision import models

    build, enum = {
        "vgg19": (models.vgg19, models.VGG19_Weights.IMAGENET1K_V1),
        "squeezenet1_0": (models.squeezenet1_0, models.SqueezeNet1_0_Weights.IMAGENET1K_V1),
    }[network]
    random_state = torch.get_rng_state()  # a random initialisation must not change the run's random numbers
    features = build(weights=None).features
    torch.set_rng_state(random_state)
    state = _read(network, expand_home("weights", weights)) if weights else _download(network, enum)
    wanted = features.state_dict()
    found = {name: state[f"features.{name}"] for name in wanted if f"features.{name}" in state}
    unfit = [f"features.{name}" for name in wanted if name not in found or found[name].shape != wanted[name].shape]
    if unfit:
        raise ValueError(
            f"{weights} does not hold the weights of torchvision's {network}: {len(unfit)} of {len(wanted)} tensors "
            f"are missing or of another shape, such as {unfit[0]}; it holds {', '.join(list(state)[:3])}, ..."
        )
    features.load_state_dict(found)
    for layer in features:
        if isinstance(layer, nn.ReLU):
            layer.inplace = False  # the features before the activation are needed, too
    return features


def _download(network: str, enum: Any) -> Mapping[str, Tensor]:
    """Return torchvision's weights from its cache, or download them."""
    try:
        return enum.get_state_dict(progress=False, check_hash=True)
    except (OSError, RuntimeError) as error:
        url, lighter = enum.url, "Lighter: task/perceptual=squeezenet; without: " if network == "vgg19" else "Without: "
        raise ValueError(
            f"the perceptual loss needs {network}'s ImageNet weights and cannot get them ({error}). Download {url} on "
            f"a machine with internet access and set task.perceptual.weights=<file>, or put it into "
            f"{Path(torch.hub.get_dir(), 'checkpoints')}. {lighter}task/perceptual=none"
        ) from error


def _read(network: str, path: Path) -> dict[str, Tensor]:
    """Read a weights file; convert Caffe's SqueezeNet to torchvision's names and pixel format."""
    if not path.is_file():
        raise ValueError(
            f"no weights of {network} at {path}; correct task.perceptual.weights, or set null to download them"
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else "the file is truncated"
        raise ValueError(f"task.perceptual.weights={path} is no weights file of torch.save ({reason})") from error
    if not isinstance(state, dict):
        raise ValueError(f"{path} holds no state dict, got {type(state).__name__}; give {network}'s state dict")
    if network == "squeezenet1_0" and "fire2/squeeze1x1.weight" in state:
        return _from_caffe(state)
    return state


def _from_caffe(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename parameters and fold the pixel format into the first convolution; exact, because it has no padding."""
    renamed: dict[str, Tensor] = {}
    for name, value in state.items():
        layer, _, kind = name.rpartition(".")
        block, _, part = layer.partition("/")
        if block in LAYERS["squeezenet1_0"]:
            inside = f".{part.replace('squeeze1x1', 'squeeze')}" if part else ""
            renamed[f"features.{LAYERS['squeezenet1_0'][block]}{inside}.{kind}"] = value.float()
    mean, std, subtracted = (torch.tensor(each) for each in (IMAGENET_MEAN, IMAGENET_STD, CAFFE_MEAN))
    kernel = renamed["features.0.weight"].flip(1)  # BGR -> RGB
    renamed["features.0.weight"] = kernel * (255 * std).view(1, 3, 1, 1)
    renamed["features.0.bias"] = renamed["features.0.bias"] + kernel.sum((2, 3)) @ (255 * mean - subtracted)
    return renamed


def _frozen(features: nn.Sequential) -> nn.Sequential:
    """Replace each parameter by a non-persistent buffer."""
    for module in features.modules():
        for name, parameter in list(module.named_parameters(recurse=False)):
            delattr(module, name)
            module.register_buffer(name, parameter.detach().clone(), persistent=False)
    return features.eval()
