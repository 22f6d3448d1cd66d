"""A teacher from wherever a trained net lies."""

import pytest
import torch
from safetensors.torch import save_file

from sr.config.composition import plain
from sr.experiment import compose, made
from sr.models.weights import FLOAT_WEIGHTS, save_weights
from sr.pretrained.trained import trained


def test_the_net_of_a_run_folder_in_its_deployable_form(tmp_path):
    config = compose(["model=sesr_m3", "scale=2"])
    net = made(config.model)
    save_weights(net.collapse(), tmp_path / FLOAT_WEIGHTS, {"config": {"model": plain(config.model)}})
    lr = torch.rand(1, 1, 8, 8)
    state = torch.get_rng_state()
    for source in (tmp_path, tmp_path / FLOAT_WEIGHTS):
        torch.testing.assert_close(trained(str(source), scale=2)(lr), net(lr), rtol=0, atol=1e-5)
    assert torch.equal(state, torch.get_rng_state()), "a teacher changes no random number of the run"


def test_a_shipped_net():
    assert trained("pretrained/quicksrnet_small", scale=2).scale == 2


def test_refusals(tmp_path):
    with pytest.raises(ValueError, match="no teacher is given"):
        trained(None, scale=2)
    with pytest.raises(ValueError, match="give the folder of a finished run"):
        trained(str(tmp_path), scale=2)
    with pytest.raises(ValueError, match=r"is for x1\.5, x2, x3, x4, not for x1\.25"):
        trained("pretrained/quicksrnet_small", scale=1.25)
    save_file({"w": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(
        ValueError, match="does not contain the config of its net, and spandrel does not know its layers"
    ):
        trained(str(tmp_path / "other.safetensors"), scale=2)
    torch.save({"w": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match="does not contain the config of its net, and spandrel"):
        trained(str(tmp_path / "other.pt"), scale=2)
