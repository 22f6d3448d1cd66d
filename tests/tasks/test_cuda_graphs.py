"""A step's objective: what eager code computes; recorded on a GPU, itself on a CPU."""

import copy

import pytest
import torch

from sr.losses.pixel import L1
from sr.tasks.cuda_graphs import PixelObjective, captured
from tests.tasks.tiny import net as quicksrnet


def batch(device="cpu"):
    generator = torch.Generator().manual_seed(0)
    lr, hr = (torch.randint(0, 256, (2, 3, side, side), generator=generator, dtype=torch.uint8) for side in (8, 16))
    return lr.to(device), hr.to(device)


@pytest.mark.parametrize(("bf16", "tolerance"), [(False, 1e-6), (True, 2e-2)])
def test_the_objective_is_the_loss_in_its_precision(bf16, tolerance):
    net, (lr, hr) = quicksrnet(), batch()
    loss = PixelObjective(net, L1(), bf16=bf16)(lr, hr)
    expected = (net(lr / 255) - hr / 255).abs().mean()
    assert loss.dtype == torch.float32
    assert abs(loss.item() - expected.item()) <= tolerance
    assert (abs(loss.item() - expected.item()) > 1e-6) == bf16


def test_on_a_cpu_nothing_is_recorded():
    objective = PixelObjective(quicksrnet(), L1(), bf16=False)
    assert captured(objective, *batch()) is objective


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("bf16", [False, True])
def test_replaying_gives_the_gradients_of_eager_code(bf16):
    net = quicksrnet().cuda().to(memory_format=torch.channels_last)
    twin, (lr, hr) = copy.deepcopy(net), batch("cuda")
    replay = captured(PixelObjective(net, L1(), bf16=bf16), *batch("cuda"))
    gradients: list[list[torch.Tensor]] = []
    for objective in (replay, PixelObjective(twin, L1(), bf16=bf16)):
        for images in ((lr.flip(2), hr), (lr, hr)):
            for each in (net, twin):
                each.zero_grad()
            objective(*images).backward()
            gradients.append([p.grad.clone() for each in (net, twin) for p in each.parameters() if p.grad is not None])
    for i in (0, 1):
        torch.testing.assert_close(gradients[i], gradients[2 + i], rtol=1e-3, atol=1e-5)
