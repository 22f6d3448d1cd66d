"""Batch normalization over several processes: its class while they train; its numbers are in test_collectives."""

import torch
from torch import nn

from sr.devices.synced_batch_norm import SyncedBatchNorm2d, synced_batch_norms


def test_the_class_changes_inside_the_block_only():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    names = list(net.state_dict())
    with synced_batch_norms([net]):
        assert type(net[1]) is SyncedBatchNorm2d and isinstance(net[1], nn.BatchNorm2d)
        assert list(net.state_dict()) == names
    assert type(net[1]) is nn.BatchNorm2d


def test_one_process_computes_as_torch_does():
    net, image = nn.BatchNorm2d(3), torch.rand(4, 3, 5, 5)
    wanted = net(image)
    net.reset_running_stats()
    with synced_batch_norms([net]):
        assert torch.equal(net(image), wanted)


def statistics() -> dict:
    """Normalize a half of a batch; runs in two processes."""
    from sr.devices.collectives import own_rows

    images = torch.rand(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    net = SyncedBatchNorm2d(3)
    return {"out": net(own_rows(images)), "mean": net.running_mean, "var": net.running_var}


def test_two_processes_normalize_with_the_whole_batch(tmp_path):
    from tests.devices.together import run_together

    images, net = torch.rand(4, 3, 5, 5, generator=torch.Generator().manual_seed(0)), nn.BatchNorm2d(3)
    wanted = net(images)
    for rank, found in enumerate(run_together("tests.devices.test_synced_batch_norm:statistics", tmp_path)):
        torch.testing.assert_close(found["out"], wanted[rank::2], rtol=0, atol=1e-5)
        torch.testing.assert_close((found["mean"], found["var"]), (net.running_mean, net.running_var))
