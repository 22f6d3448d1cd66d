"""Random numbers go on after a resume as they would have without it, on a CPU and on a GPU."""

import pytest
import torch

from sr.tasks.random_state import random_states, set_random_states

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


@pytest.mark.parametrize("name", DEVICES)
def test_the_generators_of_a_device_go_on(name):
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    device = torch.device(name)
    states = random_states(device)
    drawn = [torch.rand(3), torch.rand(3, device=device)]
    set_random_states({"other": 1, **states}, device)
    again = [torch.rand(3), torch.rand(3, device=device)]
    assert all(torch.equal(one, other) for one, other in zip(drawn, again, strict=True))


def test_a_checkpoint_of_a_gpu_goes_on_without_one():
    states = random_states(torch.device("cpu"))
    drawn = torch.rand(3)
    set_random_states({**states, "gpu_random_state": torch.zeros(16, dtype=torch.uint8)}, torch.device("cpu"))
    assert torch.equal(torch.rand(3), drawn)
