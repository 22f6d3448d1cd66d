"""From a trained net to a quantized one: preparation, calibration, repair, then biases on their grid."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from sr.models.net import Net
from sr.quantization.aimet import require
from sr.quantization.batch_norms import without_batch_norms
from sr.quantization.ptq import calibrate, uncalibrated
from sr.quantization.scheme import Scheme, Score, Selective, StageInputs, Stream
from sr.quantization.simulation import Simulation


def check(net: Net, scheme: Scheme) -> None:
    """Refuse, before a net is trained, what `quantize` would refuse after it.

    Args:
        net: as it is trained; its weights do not matter.
        scheme: what is to be done.

    Raises:
        ValueError: AIMET is missing, or a step cannot do its work, for example with a teacher of another scale.
    """
    if not scheme.is_float:
        require()
    for step in (*scheme.preparations, *scheme.repairs):
        if isinstance(step, Selective):
            step.check(net)


def quantize(
    *,
    net: Net,
    scheme: Scheme,
    calibration: Sequence[Tensor],
    stream: Stream,
    loss: nn.Module,
    score: Score,
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
        score: net -> PSNR in dB of each held-out training image, by which training stages choose what they keep.
        folder: where stages keep what they need to go on; each has a folder of its own in it.
        seed: for stages that draw random numbers.

    Returns:
        The simulation, in eval mode on the CPU, not yet saved. Its figures hold the seconds of each stage.

    Raises:
        ValueError: from calibration or a stage; it says what and what to do.
    """
    net = without_batch_norms(net)
    for preparation in scheme.preparations:
        net = preparation.prepare(net)
    simulation = calibrate(net=net, scheme=scheme, calibration=calibration)
    for stage in scheme.repairs:
        start = time.perf_counter()
        material = StageInputs(
            float_net=net,
            calibration=calibration,
            stream=stream,
            loss=loss,
            score=score,
            folder=folder / stage.name,
            seed=seed,
        )
        simulation = stage(simulation, material)
        simulation.check_ranges()
        simulation.figures[f"{stage.name}_s"] = time.perf_counter() - start
    simulation.snap()
    return simulation


def load(*, net: Net, scheme: Scheme, folder: Path) -> Simulation:
    """Rebuild a simulation that `Simulation.save` wrote: the same outputs to the bit, without calibration.

    Args:
        net: the net in its inference form; its weights do not matter.
        scheme: the scheme that it was saved with.
        folder: where it was saved.

    Raises:
        ValueError: no file there, a damaged one, or one of another scheme or net.
    """
    simulation = uncalibrated(without_batch_norms(net), scheme)
    simulation.restore(folder)
    return simulation
