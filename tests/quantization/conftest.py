"""Tiny nets, schemes and streams of crops that the quantization tests share."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn
from torch.nn.functional import interpolate

from sr.losses.pixel import L1
from sr.models.quicksrnet import QuickSRNet
from sr.quantization.pipeline import quantize
from sr.quantization.qat import Qat
from sr.quantization.scheme import Scheme
from sr.quantization.simulation import Simulation
from sr.quantization.steps import HeldOutScore, Stream

ROOT = Path(__file__).resolve().parents[2]


def tiny_net(**changes: Any) -> nn.Module:
    """QuickSRNet with the arguments of its YAML, f=8 and m=1 unless said otherwise; always the same weights."""
    values = yaml.safe_load((ROOT / "conf/model/quicksrnet.yaml").read_text())
    del values["_target_"]
    torch.manual_seed(0)
    return QuickSRNet(**values | {"f": 8, "m": 1, "scale": 2} | changes).eval()


def tiny_scheme(**changes: Any) -> Scheme:
    """W8A8, min-max, without steps, unless said otherwise; `chain` holds the steps themselves."""
    steps = changes.pop("chain", [])
    values: dict[str, Any] = {
        "name": "w8a8",
        "numbers": "integer",
        "weight_bits": 8,
        "activation_bits": 8,
        "per_channel": True,
        "calibration": "min_max",
        "percentile": 99.99,
        "calibration_batches": 2,
        "calibration_batch_size": 4,
        "stages": {step.name: step for step in steps},
        "chain": [step.name for step in steps],
    }
    return Scheme(**values | changes)


def short_qat(**changes: Any) -> Qat:
    """A QAT stage of 20 iterations, unless said otherwise."""
    values: dict[str, Any] = {
        "name": "qat",
        "parameters": "all",
        "iterations": 20,
        "learning_rate": 1e-4,
        "encoding_learning_rate": 1e-4,
        "decay": "cosine",
        "distillation": 0.0,
        "teacher": None,
        "checkpoint_every": 5,
        "keep": "last",
        "accelerator": "cpu",
    }
    return Qat(**values | changes)


def crops(start: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches of 4 crops, x2, in which batch i depends on i alone."""
    while True:
        hr = smooth(4, 32, 1000 + start)
        yield as_bytes(interpolate(hr, size=(16, 16), mode="area")), as_bytes(hr)
        start += 1


def score_of(net: nn.Module) -> list[float]:
    """Minus the error on each of some crops that no test trains on."""
    lr, hr = next(crops(500))
    with torch.no_grad():
        return (-(net(lr / 255) - hr / 255).abs().mean((1, 2, 3))).tolist()


def quantize_slowly(folder: Path, delay_s: float) -> None:
    """Quantize the tiny net with a QAT of 60 iterations that waits before each, and save it: something to kill."""

    def slow(start: int) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in crops(start):
            time.sleep(delay_s)
            yield batch

    scheme = tiny_scheme(chain=[short_qat(iterations=60, checkpoint_every=3, distillation=0.5)])
    inputs: dict[str, Any] = {
        "calibration": [smooth(4, 24, 1)],
        "stream": slow,
        "loss": nn.L1Loss(),
        "seed": 0,
        "score": score_of,
    }
    quantize(net=tiny_net(), scheme=scheme, folder=folder, **inputs).save(folder)


@pytest.fixture(scope="session")
def make_net() -> Callable[..., nn.Module]:
    """See `tiny_net`."""
    return tiny_net


@pytest.fixture(scope="session")
def make_scheme() -> Callable[..., Scheme]:
    """See `tiny_scheme`."""
    return tiny_scheme


@pytest.fixture(scope="session")
def make_qat() -> Callable[..., Qat]:
    """See `short_qat`."""
    return short_qat


@pytest.fixture(scope="session")
def stream() -> Stream:
    """See `crops`."""
    return crops


@pytest.fixture(scope="session")
def score() -> HeldOutScore:
    """See `score_of`."""
    return score_of


@pytest.fixture(scope="session")
def slow_quantize() -> Callable[[Path, float], None]:
    """See `quantize_slowly`; a test runs the same in a process of its own."""
    return quantize_slowly


@pytest.fixture(scope="session")
def calibration() -> list[Tensor]:
    """Two batches of smooth crops (4, 3, 24, 24) in [0, 1] that never reach 1."""
    return [smooth(4, 24, seed) * 0.95 for seed in (1, 2)]


@pytest.fixture(scope="session")
def pixels() -> Tensor:
    """An image (1, 3, 30, 40) of multiples of 1/255."""
    return (smooth(1, 40, 3)[:, :, :30] * 255).round() / 255


@pytest.fixture
def run(make_net: Any, make_scheme: Any, calibration: list[Tensor], tmp_path: Path) -> Callable[..., Simulation]:
    """Quantize the tiny net with some stages, in a folder of the test unless told otherwise."""

    def quantized(
        *stages: Any,
        folder: Path = tmp_path,
        net: Any = None,
        bits: int = 8,
        per_channel: bool = True,
        **changes: Any,
    ) -> Simulation:
        inputs = {"calibration": calibration, "stream": crops, "loss": L1(), "score": score_of, "seed": 0} | changes
        scheme = make_scheme(chain=stages, weight_bits=bits, per_channel=per_channel)
        return quantize(net=net or make_net(), scheme=scheme, folder=folder, **inputs)

    return quantized


@pytest.fixture
def one_thread() -> Iterator[None]:
    """The order of a sum depends on the number of threads, and a forked process cannot use those of its parent."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def smooth(count: int, side: int, seed: int) -> Tensor:
    """Pictures (count, 3, side, side) in [0, 1] with edges and slopes."""
    noise = torch.rand(count, 3, side // 4, side // 4, generator=torch.Generator().manual_seed(seed))
    return interpolate(noise, size=(side, side), mode="bicubic").clamp(0, 1)


def as_bytes(images: Tensor) -> Tensor:
    """Floats in [0, 1] as uint8."""
    return (images * 255).round().to(torch.uint8)
