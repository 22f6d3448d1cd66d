"""A step's objective: what eager code computes; recorded on a GPU, itself on a CPU."""

import copy

import pytest
import torch
from torch import nn

from sr.losses.pixel import L1
from sr.tasks.cuda_graphs import PixelObjective, buffers_kept, captured, copying
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


def test_each_loss_is_a_copy_and_gives_its_gradient():
    place = torch.zeros(())

    def replayed(lr, hr):  # as a CUDA graph does it: every result in the same place
        place.copy_((lr * hr).sum().detach())
        return (lr * hr).sum() if lr.requires_grad else place

    objective = copying(replayed)
    losses = torch.stack([objective(torch.tensor(float(i)), torch.tensor(2.0)) for i in range(3)])
    assert losses.tolist() == [0, 2, 4]
    weight = torch.tensor(3.0, requires_grad=True)
    objective(weight, torch.tensor(2.0)).backward()
    assert weight.grad == 2


def test_warming_up_moves_no_batch_norm_statistics():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    before = {name: (value.clone(), value.data_ptr()) for name, value in net.named_buffers()}
    assert len(before) == 3
    with pytest.raises(RuntimeError, match="amid"), buffers_kept(net):
        net(torch.rand(2, 3, 8, 8))
        assert net[1].num_batches_tracked == 1
        raise RuntimeError("amid")
    for name, value in net.named_buffers():
        assert torch.equal(value, before[name][0]) and value.data_ptr() == before[name][1]


class Normalized(nn.Module):
    """An objective with batch-norm statistics and random numbers."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))

    def forward(self, lr, hr):
        return self.net(lr / 255.0).mean() + hr.float().mean()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_recording_changes_no_statistics_and_no_random_numbers():
    objective, (lr, hr) = Normalized().cuda(), batch("cuda")
    before, random = [value.clone() for value in objective.buffers()], torch.cuda.get_rng_state()
    replay = captured(objective, lr, hr)
    assert replay is not objective
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(objective.buffers(), before, strict=True))
    assert torch.equal(torch.cuda.get_rng_state(), random)
    replay(lr, hr)
    assert objective.net[1].num_batches_tracked == 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_replayed_losses_of_different_batches_differ():
    objective, (lr, hr) = PixelObjective(quicksrnet().cuda(), L1(), bf16=False), batch("cuda")
    replay = captured(objective, lr, hr)
    losses = [replay(lr, hr), replay(lr, 255 - hr)]
    expected = [PixelObjective(quicksrnet().cuda(), L1(), bf16=False)(lr, each) for each in (hr, 255 - hr)]
    torch.testing.assert_close(torch.stack(losses), torch.stack(expected), rtol=1e-3, atol=1e-5)
    assert losses[0] != losses[1]


@pytest.mark.gpu
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
