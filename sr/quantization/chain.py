"""From a trained net to a quantized one: calibration, then the stages of its scheme, then biases on their grid."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from sr.quantization.ptq import calibrate, uncalibrated
from sr.quantization.scheme import Material, Scheme, Stream
from sr.quantization.simulation import Simulation


def quantize(
    *,
    net: nn.Module,
    scheme: Scheme,
    calibration: Sequence[Tensor],
    stream: Stream,
    loss: nn.Module,
    folder: Path,
    seed: int,
) -> Simulation:
    """Quantize a trained net. Killed at any moment, the same call goes on where it was, to the same bits.

    Args:
        net: the net in its inference form, on the CPU; it is not changed.
        scheme: what to do.
        calibration: inputs of the net (N, C, h, w) in [0, 1], cut from training images, never from test images.
        stream: iteration -> endless uint8 RGB (lr, hr) batches (N, 3, h, w), (N, 3, s*h, s*w) of training crops
            from that iteration on; batch i must depend on i alone.
        loss: module (sr, hr) -> scalar that the training stages minimise.
        folder: where stages keep what they need to go on; each has a folder of its own in it.
        seed: for stages that draw random numbers.

    Returns:
        The simulation, in eval mode on the CPU, not yet saved. Its figures hold the seconds of each stage.

    Raises:
        ValueError: from calibration or a stage; it says what and what to do.
    """
    simulation = calibrate(net=net, scheme=scheme, calibration=calibration)
    for stage in scheme.stages:
        start = time.perf_counter()
        material = Material(
            float_net=net, calibration=calibration, stream=stream, loss=loss, folder=folder / stage.name, seed=seed
        )
        simulation = stage(simulation, material)
        simulation.check_ranges()
        simulation.figures[f"{stage.name}_s"] = time.perf_counter() - start
    simulation.snap_biases()
    return simulation


def load(*, net: nn.Module, scheme: Scheme, folder: Path) -> Simulation:
    """Rebuild a simulation that `Simulation.save` wrote: the same outputs to the bit, without calibration.

    Args:
        net: the net in its inference form; its weights do not matter.
        scheme: the scheme that it was saved with.
        folder: where it was saved.

    Raises:
        ValueError: no file there, a damaged one, or one of another scheme or net.
    """
    simulation = uncalibrated(net, scheme)
    simulation.restore(folder)
    return simulation
