"""Which device trains, how many there are, and what is refused before anything starts."""

import pytest
import torch

from sr.devices.accelerator import num_devices, one_device, requested_devices, training_device
from sr.devices.world import World

FOUR = World(rank=0, size=4, local_rank=0, local_size=2)


def count(wanted, batch_size=16, world=None):
    return requested_devices(wanted, batch_size=batch_size, accelerator="cpu", world=world or World())


def test_auto_takes_what_torchrun_started():
    assert count("auto") == count(1) == 1
    assert num_devices("cpu") >= 1
    if num_devices("cpu") > 1:
        assert count("auto", world=FOUR) == count(4, world=FOUR) == 4


@pytest.mark.parametrize(
    ("wanted", "batch_size", "world", "says"),
    [
        (4096, 4096, None, r"4096 processes on this machine, which has \d+ CPU cores; use fewer"),
        (2, 16, FOUR, "machine.devices=2, but torchrun or srun started 4 processes; leave machine.devices out"),
        ("auto", 18, World(size=4), "data.batch_size=18 cannot .* by 4 devices; the next sizes that can are 16 or 20"),
        ("auto", 3, World(size=4), "the next sizes that can are 4"),
    ],
)
def test_what_cannot_be_shared_is_refused(wanted, batch_size, world, says):
    with pytest.raises(ValueError, match=says):
        count(wanted, batch_size, world)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_without_a_gpu():
    assert training_device("auto") == torch.device("cpu")
    assert one_device("auto") == {"accelerator": "cpu", "devices": 1}
    with pytest.raises(ValueError, match=r"accelerator=gpu: torch sees no GPU here; use machine.accelerator=cpu"):
        training_device("gpu")


def test_the_gpu_of_a_mac_is_refused_with_the_reason(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert training_device("auto") == torch.device("cpu")
    with pytest.raises(ValueError, match=r"the GPU of this Mac \(MPS\) computes no float64"):
        training_device("gpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_with_a_gpu():
    assert training_device("auto").type == "cuda"
    assert training_device("gpu", World(rank=0, size=2, local_rank=0, local_size=2)) == torch.device("cuda", 0)
    assert one_device("gpu")["devices"] == [0]
