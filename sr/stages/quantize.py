"""Quantize the trained net."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sr import metrics
from sr.devices.accelerator import training_device
from sr.evaluation import evaluate, upscaler
from sr.functional.color import rgb_to_y
from sr.models.fingerprint import fingerprint
from sr.models.net import Net
from sr.quantization.pipeline import HOST, load_simulation, quantize
from sr.quantization.pipeline import check as check_scheme
from sr.quantization.qat import Qat
from sr.quantization.qat_task import teacher_of
from sr.quantization.scheme import Scheme
from sr.quantization.simulation import SIMULATION_FILE, Simulation
from sr.quantization.steps import HeldOutScore
from sr.runs.files import read_json
from sr.runs.results import lost_files
from sr.stages.stage import Job, Outcome, Stage
from sr.stages.stage_images import StageImages

QUANTIZED_FOLDER = "quantized"
QUANTIZED_RESULT = f"{QUANTIZED_FOLDER}/quantized.json"


@dataclass(frozen=True, kw_only=True)
class Quantize(Stage):
    """Calibrate on training crops, run the steps of the scheme, and keep the simulation."""

    name = "quantize"
    result = QUANTIZED_RESULT

    def check(self, job: Job) -> None:
        """See `Stage.check`; crops for the calibration are cut, too, which test images are not allowed to be in."""
        check_scheme(job.net, job.scheme)
        if not job.scheme.is_float:
            job.images.calibration(1, 1)

    def inputs(self, job: Job) -> dict[str, Any]:
        """See `Stage.inputs`."""
        return {
            "net": fingerprint(job.net),
            "images": job.images.train_hash(),
            "teachers": dict(_teachers(job.scheme, job.net)),
        }

    def work(self, job: Job) -> Outcome:
        """Return the scheme's name, figures of its steps, and the hash of the simulation."""
        simulation = quantized(
            net=job.net,
            scheme=job.scheme,
            images=job.images,
            loss=job.loss,
            protocol=metrics.protocol(job.config["train"]["protocol"]),
            seed=job.config["seed"],
            folder=job.folder / QUANTIZED_FOLDER,
            device=training_device(job.config["machine"]["accelerator"]),
        )
        facts = {
            "scheme": job.scheme.name,
            "figures": simulation.figures,
            "simulation_sha256": fingerprint(simulation.net, job.scheme.name),
        }
        return Outcome(facts, [f"{QUANTIZED_FOLDER}/{SIMULATION_FILE}"])


def quantized(
    *,
    net: Net,
    scheme: Scheme,
    images: StageImages,
    loss: Any,
    protocol: metrics.Protocol,
    seed: int,
    folder: Path,
    device: torch.device = HOST,
) -> Simulation:
    """Quantize a net and save the simulation.

    Args:
        net: in its inference form, on the CPU; it is not changed.
        scheme: what is to be done.
        images: crops to calibrate on, batches to learn from, held-out images to choose by.
        loss: module (sr, hr) -> scalar of the training steps.
        protocol: of the scores on the held-out images.
        seed: of steps that draw random numbers.
        folder: where the simulation goes, and what steps need to go on after a kill.
        device: of calibration and of the steps.

    Returns:
        The simulation.

    Raises:
        ValueError: from the calibration or a step.
    """
    simulation = quantize(
        net=net,
        scheme=scheme,
        calibration=calibration_inputs(images, net, scheme.calibration_batches, scheme.calibration_batch_size),
        stream=images.stream,
        loss=loss,
        score=held_out_score(images, protocol, net),
        folder=folder,
        seed=seed,
        device=device,
    )
    simulation.save(folder)
    return simulation


def trains(scheme: Scheme) -> bool:
    """Whether a scheme has a step of quantization-aware training."""
    return any(isinstance(step, Qat) for step in scheme.repairs)


def held_out_score(images: StageImages, protocol: metrics.Protocol, float_net: Net) -> HeldOutScore:
    """Return the function from a net to the PSNR of each held-out image, by which steps choose.

    Args:
        images: where the held-out images come from.
        protocol: of the scores.
        float_net: the net before quantization, which knows what it takes.
    """

    def score(net: Net) -> list[float]:
        found = evaluate(upscaler(net, float_net), images.heldout(), protocol, float(net.scale))
        return [image.psnr_db for image in found.per_image]

    return score


def calibration_inputs(images: StageImages, net: Net, count: int, size: int) -> list[Tensor]:
    """Cut inputs of a net from training images: `count` batches of `size` LR crops, luma alone for a Y net."""
    crops = images.calibration(count, size)
    return [rgb_to_y(batch) for batch in crops] if net.color == "y" else crops


def simulation_hash(folder: Path) -> str:
    """Return the hash of a run's simulation, as it was when it was made."""
    return str(read_json(folder / QUANTIZED_RESULT)["simulation_sha256"])


def simulation_of(job: Job) -> Simulation:
    """Load the simulation of a run.

    Raises:
        ValueError: its file is not the one that was written, or gives another net.
    """
    folder = job.folder / QUANTIZED_FOLDER
    content = read_json(job.folder / QUANTIZED_RESULT)
    advice = f"give redo=[quantize] to the same command, or remove {job.folder / QUANTIZED_RESULT}"
    if lost := lost_files(job.folder, content, hashes=True):
        raise ValueError(f"{job.folder}: {', '.join(lost)} was changed or removed since it was written; {advice}")
    simulation = load_simulation(net=job.net, scheme=job.scheme, folder=folder)
    if fingerprint(simulation.net, job.scheme.name) != content["simulation_sha256"]:
        raise ValueError(f"{folder / SIMULATION_FILE} does not give the net that was scored; {advice}")
    return simulation


def _teachers(scheme: Scheme, net: Net) -> Iterator[tuple[str, str]]:
    for step in scheme.repairs:
        if isinstance(step, Qat) and step.teacher:
            yield step.name, fingerprint(teacher_of(step.teacher, net))
