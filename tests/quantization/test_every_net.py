"""GPTQ, the default scheme, on a small net of each family; 4 bits, so that the weights count."""

import logging

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from sr.functional.color import rgb_to_y
from sr.models.blocks import inference_form
from sr.quantization.gptq import Gptq
from tests.quantization.conftest import ROOT

pytestmark = pytest.mark.aimet

NETS = {
    "abpn": ["model.m=2"],
    "bicubicpp": ["model.f=8"],
    "compact": ["model.f=8", "model.m=2"],
    "edsr": ["model.f=8", "model.m=2"],
    "edsr_mobile": ["model.f=8", "model.m=1"],
    "erfdn": ["model.f=16", "model.m=1"],
    "espcn": [],
    "etds": ["model.f=8", "model.m=1"],
    "fsrcnn": ["model.d=12", "model.m=1"],
    "mesrnet_tiny": ["model.f=8", "model.growth=4"],
    "quicksrnet": ["model.f=8", "model.m=1"],
    "quicksrnet_strided": ["model.f=8", "model.m=1"],
    "rfdn": ["model.f=16", "model.m=1"],
    "rrdbnet_tiny": [],
    "sesr": [],
    "span": ["model.f=8", "model.m=2"],
    "srresnet_tiny": [],
    "xlsr": [],
}
WITHOUT_WEIGHTS = {"nearest", "bicubic", "fsr1"}


def family(name):
    """The class behind a preset of conf/model."""
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        return compose(f"model/{name}", overrides=["+scale=2"]).model._target_


def net_of(name):
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        config = compose(f"model/{name}", overrides=["+scale=2", *NETS[name]])
    torch.manual_seed(0)
    return inference_form(instantiate(config.model, _convert_="all")).eval()


def test_no_family_is_left_out():
    names = {path.stem for path in (ROOT / "conf/model").glob("*.yaml")} - WITHOUT_WEIGHTS
    assert {family(name) for name in names} == {family(name) for name in NETS}


@pytest.mark.parametrize("name", NETS)
def test_gptq_leaves_no_layer_and_less_error(run, calibration, caplog, name):
    net = net_of(name)
    inputs = [rgb_to_y(batch) for batch in calibration] if net.color == "y" else calibration
    with torch.no_grad():
        wanted = [net(batch) for batch in inputs]

    def lost(*stages):
        simulation = run(*stages, net=net, bits=4, calibration=inputs)
        with torch.no_grad():
            found = [simulation.net(batch) for batch in inputs]
        return sum((a - b).square().mean().item() for a, b in zip(found, wanted, strict=True))

    with caplog.at_level(logging.WARNING):
        repaired = lost(Gptq(name="gptq", damping=0.01, positions=2000))
    assert "gptq leaves" not in caplog.text
    assert 0 < repaired < lost()
