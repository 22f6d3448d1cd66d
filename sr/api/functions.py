"""The functions of the API: evaluate, quantize and export, by the functions under the stages of a run."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from sr import metrics
from sr.api.foreign import adopt, wrapped
from sr.api.loaded import LoadedNet
from sr.api.photos import Photos, embedded_photos, pairs_of, stage_images
from sr.building import compose, made
from sr.config.composition import plain
from sr.config.hints import group_options
from sr.config.targets import build_node
from sr.evaluation import Score, upscaler
from sr.evaluation import evaluate as evaluate_pairs
from sr.models.net import Net
from sr.quantization.encoded_places import PlacedGrids, places_of
from sr.quantization.encodings_file import read_encodings
from sr.quantization.from_encodings import encoded, encoded_widths
from sr.quantization.pipeline import check
from sr.quantization.simulation import Simulation
from sr.stages.quantize import calibration_inputs, quantized
from sr.stages.stage_images import StageImages

SCHEME = "w8a8_gptq"


@dataclass(frozen=True, kw_only=True)
class Quantized:
    """A quantized net; called with an image (h, w, 3) uint8, it upscales it as the phone will.

    Attributes:
        simulation: It computes as its scheme says.
        float_net: The net that it was made from.
        images: The photographs that it was calibrated on.
    """

    simulation: Simulation
    float_net: Net
    images: StageImages

    def __call__(self, lr: np.ndarray) -> np.ndarray:
        """Upscale an image (h, w, 3) uint8."""
        return upscaler(self.simulation.net, self.float_net)(lr)


def evaluate(
    net: nn.Module | Quantized | LoadedNet | Callable[[np.ndarray], np.ndarray],
    photos: Photos,
    *,
    protocol: str = "y",
    scale: float | None = None,
) -> Score:
    """Score a net: PSNR in dB and SSIM, on the mean and for each image.

    Args:
        net: A module, the result of `quantize` or `load`, or any function of an LR image (h, w, 3) uint8.
        photos: A folder of HR images, a list of HR images, or pairs (lr, hr).
        protocol: "y", "y_only" or "rgb", as in a run.
        scale: HR size / LR size; needed for a plain function only.

    Raises:
        ValueError: No image, a net that cannot be scored, or a function without scale.

    >>> hr = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    >>> evaluate(nn.Upsample(scale_factor=2), [hr]).per_image[0].name
    'photo_0'
    """
    upscale = _upscaler(net, scale)
    scale = scale or getattr(upscale, "scale", None)
    if scale is None:
        raise ValueError("a plain function does not tell its scale; give scale=")
    return evaluate_pairs(upscale, pairs_of(photos, scale), metrics.protocol(protocol), scale)


def _upscaler(net: Any, scale: float | None) -> Callable[[np.ndarray], np.ndarray]:
    if isinstance(net, Quantized):
        return upscaler(net.simulation.net, net.float_net)
    if isinstance(net, LoadedNet):
        return net.upscaler
    if not isinstance(net, nn.Module):
        return net
    if isinstance(net, Net):
        return upscaler(net)
    return upscaler(wrapped(net))


def quantize(
    net: nn.Module,
    calibration: Photos | None = None,
    *,
    scheme: str | None = None,
    encodings: str | Path | None = None,
    scale: float | None = None,
    seed: int = 0,
    folder: str | Path | None = None,
) -> Quantized:
    """Quantize a net: any module of convolutions, activations, additions and pixel shuffles.

    Args:
        net: lr (N, C, h, w) in [0, 1] -> sr (N, C, s*h, s*w) in [0, 1]; C is 3 for RGB, 1 for luma. It is not changed.
        calibration: Photographs, never test images: a folder, or a list of HR images; LR images are made by bicubic.
            None takes the photographs inside scikit-image.
        scheme: A file of conf/quantization, such as "w8a8_ptq"; "fp32" and "fp16" need no calibration. None: w8a8_gptq,
            or the bits of `encodings`.
        encodings: File of ranges that AIMET wrote for this net (0.6.1, 1.0.0 or 2.0.0): nothing is learned then. A file
            of weights alone, such as AdaRound's, takes the ranges of the activations from `calibration`.
        scale: What the scale must be; None takes what a test pass finds.
        seed: Of steps that draw random numbers.
        folder: Where steps keep what a killed call needs to go on; None keeps nothing.

    Returns:
        The quantized net, for `evaluate` and `export`.

    Raises:
        ValueError: The net has an operation that cannot be quantized, values that are not numbers or an output of the
            wrong size, the scheme is unknown, or the encodings are not those of the net; the message says what to do.
    """
    if scheme not in (None, *(schemes := group_options("quantization"))):
        raise ValueError(f"scheme {scheme!r} is unknown; the schemes are {', '.join(schemes)}")
    ranges = None if encodings is None else read_encodings(Path(encodings))
    own = adopt(net, scale=scale)
    if ranges is not None:
        return _encoded(own, places_of(ranges, own), scheme, calibration, seed)
    config = compose([f"quantization={scheme or SCHEME}", f"scale={own.scale:g}", f"seed={seed}"])
    chosen = made(config.quantization)
    photos = embedded_photos(plain(config.data)["sources"]) if calibration is None else calibration
    images = stage_images(photos, own, config.data)
    check(own, chosen)
    with tempfile.TemporaryDirectory() as scratch:
        simulation = quantized(
            net=own,
            scheme=chosen,
            images=images,
            loss=made(config.loss),
            protocol=metrics.protocol("y"),
            seed=seed,
            folder=Path(folder or scratch),
        )
    return Quantized(simulation=simulation, float_net=own, images=images)


def _encoded(net: Net, grids: PlacedGrids, scheme: str | None, calibration: Photos | None, seed: int) -> Quantized:
    """Return the simulation of a file of encodings."""
    weight_bits, activation_bits, per_channel = encoded_widths(grids)
    config = compose([f"quantization={scheme or 'w8a8_ptq'}", f"scale={net.scale:g}", f"seed={seed}"])
    wanted = plain(config.quantization)
    widths = {"weight_bits": weight_bits, "activation_bits": activation_bits or wanted["activation_bits"]}
    if scheme and (found := [f"{key}={value}" for key, value in widths.items() if wanted[key] != value]):
        raise ValueError(f"{grids.path} has {', '.join(found)}, which is not {scheme}; leave the scheme out")
    name = "w{weight_bits}a{activation_bits}_encodings".format(**widths)
    chosen = build_node({**wanted, **widths, "name": name, "chain": [], "per_channel": per_channel})
    photos = embedded_photos(plain(config.data)["sources"]) if calibration is None else calibration
    images = stage_images(photos, net, config.data)
    check(net, chosen)
    crops = calibration_inputs(images, net, chosen.calibration_batches, chosen.calibration_batch_size)
    return Quantized(simulation=encoded(net, chosen, grids, crops), float_net=net, images=images)


def export(
    net: nn.Module | Quantized,
    folder: str | Path,
    *,
    target: str = "hexagon",
    size: str = "1080p",
    photos: Photos | None = None,
) -> dict[str, Any]:
    """Write a net for phones, and compare every file with the net that it comes from.

    Args:
        net: The result of `quantize`; a module is exported in floats.
        folder: Is created; an earlier export in it is replaced.
        target: A file of conf/export: "hexagon", "onnx", "litert", "openvino", "ncnn", "ai_hub" or "all".
        size: Of the output, such as "1080p", or LR height x width, as "540x960".
        photos: Images for the comparison; None takes those of the calibration, or those inside scikit-image.

    Returns:
        The certificate, which is also `certificate.json` in the folder.

    Raises:
        ValueError: A comparison is outside its bounds, or the target is unknown.
    """
    if target not in (targets := [name for name in group_options("export") if name != "none"]):
        raise ValueError(f"target {target!r} is unknown; the targets are {', '.join(targets)}")
    if not isinstance(net, Quantized):
        net = quantize(net, photos, scheme="fp32")
    own = net.float_net
    images = net.images if photos is None else stage_images(photos, own, compose([]).data)
    chosen = made(compose([f"export={target}", f"size={size}", f"scale={own.scale:g}"]).export)
    chosen.check(net.simulation.scheme, own)
    crops = images.test_sets()["photos"]
    return chosen.export(simulation=net.simulation, float_net=own, crops=crops, folder=Path(folder))
