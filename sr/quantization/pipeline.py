"""Quantize a trained net: prepare, calibrate, run the repair steps, round the biases to their grid."""

import copy
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from sr.models.net import Net
from sr.quantization.aimet import require
from sr.quantization.batch_norms import without_batch_norms
from sr.quantization.ptq import calibrate, uncalibrated
from sr.quantization.scheme import Scheme
from sr.quantization.simulation import Simulation
from sr.quantization.steps import HeldOutScore, NetCheck, StepInputs, Stream

HOST = torch.device("cpu")


def check(net: Net, scheme: Scheme) -> None:
    """Raise ValueError before training if `quantize` cannot handle this net.

    Args:
        net: Net in its inference form; its weights do not matter.
        scheme: Scheme to apply.

    Raises:
        ValueError: AIMET is missing or does not know a module, or a step does not work for the net, for example a
            teacher of another scale.
    """
    if not scheme.is_float:
        require()
        uncalibrated(without_batch_norms(net), scheme)
    for step in (*scheme.preparations, *scheme.repairs):
        if isinstance(step, NetCheck):
            step.check(net)


def quantize(
    *,
    net: Net,
    scheme: Scheme,
    calibration: Sequence[Tensor],
    stream: Stream,
    loss: nn.Module,
    score: HeldOutScore,
    folder: Path,
    seed: int,
    device: torch.device = HOST,
    until: str | None = None,
) -> Simulation:
    """Quantize a trained net. After a kill the same call continues and gives the same bits.

    Args:
        net: Net in its inference form, on the CPU; it is not changed.
        scheme: Bits, calibration method and steps.
        calibration: Inputs of the net (N, C, h, w) in [0, 1], cut from training images, never from test images.
        stream: Function from an iteration to endless uint8 RGB batches of training crops from there on:
            lr (N, 3, h, w) and hr (N, 3, s*h, s*w). Batch i must depend on i alone.
        loss: Module (sr, hr) -> scalar that the training steps minimise.
        score: Function from a net to the PSNR of each held-out training image in dB; training steps select by it.
        folder: Folder in which each step keeps its state in a folder of its own.
        seed: Seed for steps that draw random numbers.
        device: Device of calibration and of the steps; quantization-aware training has a setting of its own.
        until: Name of the last step to do; None does all.

    Returns:
        The simulation in eval mode on the CPU, not yet saved. Its figures hold the seconds of each step.

    Raises:
        ValueError: Calibration or a step failed; the message says why and what to do.
    """
    net = without_batch_norms(net)
    for preparation in scheme.preparations:
        net = preparation.prepare(net)
    calibration = [batch.to(device) for batch in calibration]
    simulation = calibrate(net=net, scheme=scheme, calibration=calibration, device=device)
    net = net if device == HOST else copy.deepcopy(net).to(device)
    for step in scheme.repairs:
        start = time.perf_counter()
        inputs = StepInputs(
            float_net=net,
            calibration=calibration,
            stream=stream,
            loss=loss,
            score=score,
            folder=folder / step.name,
            seed=seed,
        )
        simulation = step(simulation, inputs)
        simulation.net.to(device)  # a training ends on the CPU
        simulation.check_ranges()
        simulation.figures[f"{step.name}_s"] = time.perf_counter() - start
        if step.name == until:
            break
    simulation.net.cpu()
    simulation.snap()
    return simulation


def load_simulation(*, net: Net, scheme: Scheme, folder: Path) -> Simulation:
    """Load a simulation that `Simulation.save` wrote; its outputs are bit-equal and nothing is calibrated.

    Args:
        net: Net in its inference form; its weights do not matter.
        scheme: Scheme that the simulation was saved with.
        folder: Folder that it was saved in.

    Raises:
        ValueError: The file is missing or damaged, or belongs to another scheme or net.
    """
    simulation = uncalibrated(without_batch_norms(net), scheme)
    simulation.restore(folder)
    return simulation
