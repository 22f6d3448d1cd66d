"""Steps of a scheme on the device of the net, and a chain that ends early."""

from pathlib import Path

import pytest
import torch

from sr.losses.pixel import L1
from sr.quantization.adaround import AdaRound
from sr.quantization.bias_correction import BiasCorrection
from sr.quantization.gptq import Gptq
from sr.quantization.pipeline import quantize
from sr.quantization.sequential_mse import SequentialMse
from tests.quantization.conftest import tiny_net, tiny_scheme

STEPS = {
    "gptq": Gptq(name="gptq", damping=0.01, positions=500),
    "bias_correction": BiasCorrection(name="bias_correction"),
    "seq_mse": SequentialMse(name="seq_mse", candidates=3),
    "adaround": AdaRound(name="adaround", iterations=3, regularization=0.01, warm_start=0.2),
}


def quantized(folder: Path, *names: str, device: str = "cpu", until: str | None = None):
    """Quantize the tiny net with some steps."""
    generator = torch.Generator("cpu").manual_seed(0)
    crops = [torch.rand(2, 3, 16, 16, generator=generator, device="cpu") for _ in range(2)]
    return quantize(
        net=tiny_net(), scheme=tiny_scheme(chain=[STEPS[name] for name in names]), calibration=crops,
        stream=lambda _: iter(()), loss=L1(), score=lambda _: [], folder=folder, seed=0,
        device=torch.device(device), until=until,
    )  # fmt: skip


@pytest.mark.aimet
@pytest.mark.parametrize("name", ["gptq", "bias_correction"])
def test_our_steps_make_every_tensor_on_the_device_of_the_net(name: str, tmp_path: Path):
    """A tensor without a device would be made on `meta` here, and on the CPU beside a net on a GPU."""
    plain = quantized(tmp_path / "plain", name)
    net, scheme = tiny_net(), tiny_scheme(chain=[STEPS[name]])
    step = scheme.repairs[0]

    class Elsewhere(type(step)):
        def __call__(self, simulation, inputs):
            calibrate, simulation.calibrate = simulation.calibrate, lambda _: None
            with torch.device("meta"):
                super().__call__(simulation, inputs)
            simulation.calibrate = calibrate
            calibrate(inputs.calibration)
            return simulation

    STEPS["elsewhere"] = Elsewhere(**vars(step))
    found = quantized(tmp_path / "elsewhere", "elsewhere")
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(found.net(image).as_subclass(torch.Tensor), plain.net(image).as_subclass(torch.Tensor)), net


@pytest.mark.gpu
@pytest.mark.aimet
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", STEPS)
def test_each_step_on_a_gpu_gives_the_net_of_the_cpu(name: str, tmp_path: Path):
    cpu, gpu = quantized(tmp_path / "cpu", name), quantized(tmp_path / "gpu", name, device="cuda")
    image = torch.rand(1, 3, 32, 32)
    assert all(parameter.device.type == "cpu" for parameter in gpu.net.parameters())
    difference = (cpu.net(image) - gpu.net(image)).abs()
    assert difference.mean() < 1 / 255  # the chances of AdaRound are other ones on a GPU


@pytest.mark.aimet
def test_a_chain_may_end_early(tmp_path: Path):
    whole = quantized(tmp_path / "whole", "gptq", "bias_correction")
    part = quantized(tmp_path / "part", "gptq", "bias_correction", until="gptq")
    assert "bias_correction_s" in whole.figures
    assert "gptq_s" in part.figures and "bias_correction_s" not in part.figures
