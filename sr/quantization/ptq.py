"""Post-training quantization: a float net and training crops give a simulation with calibrated ranges."""

import copy
import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sr.models.net import Net
from sr.quantization.half import HalfSimulation
from sr.quantization.scheme import Scheme
from sr.quantization.simulation import Simulation


def calibrate(
    *, net: Net, scheme: Scheme, calibration: Sequence[Tensor], device: torch.device | None = None
) -> Simulation:
    """Quantize a trained net without training it.

    Args:
        net: Net in its inference form; it is not changed.
        scheme: Number of bits and calibration method.
        calibration: Inputs of the net (N, C, h, w) in [0, 1], cut from training images, never from test images. A float
            scheme needs none. They are on the device.
        device: Device on which the simulation runs; None leaves it on the CPU.

    Returns:
        The simulation; its figures hold `calibration_s`.

    Raises:
        ValueError: There are no calibration crops, their values are not pixels, the net diverged or cannot be
            quantized.
    """
    start = time.perf_counter()
    if not scheme.is_float:
        _check_crops(calibration, scheme)
        _check_weights(net)
    simulation = uncalibrated(net, scheme)
    simulation.net.to(device or "cpu")
    simulation.calibrate(calibration)
    simulation.figures["calibration_s"] = time.perf_counter() - start
    return simulation


def uncalibrated(net: Net, scheme: Scheme) -> Simulation:
    """Return the simulation of a net without ranges, for `calibrate` or `Simulation.restore`; `net` is not changed."""
    if scheme.is_unchanged:
        return Simulation(copy.deepcopy(net), scheme)
    if scheme.is_float:
        return HalfSimulation(net, scheme)
    from sr.quantization.integer import IntegerSimulation

    return IntegerSimulation(net, scheme)


def _check_crops(calibration: Sequence[Tensor], scheme: Scheme) -> None:
    if not calibration:
        raise ValueError(
            f"quantization {scheme.name} got no calibration crops: the training set must give at least one batch"
        )
    for index, batch in enumerate(calibration):
        if not bool(torch.isfinite(batch).all()) or batch.min() < 0 or batch.max() > 1:
            raise ValueError(
                f"calibration batch {index} has values from {batch.min().item():.4g} to {batch.max().item():.4g}; "
                "a net takes pixels in [0, 1]"
            )


def _check_weights(net: nn.Module) -> None:
    for name, parameter in net.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise ValueError(
                f"{name} holds values that are not numbers: the float net diverged; train it again before quantizing"
            )
