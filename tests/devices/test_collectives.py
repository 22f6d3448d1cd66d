"""Two processes that share each batch give what one process gives, in every task."""

import logging
from pathlib import Path

import pytest
import torch

from sr.devices.collectives import agreed, average, is_lost, own_rows, shared_mean, whole_batch
from tests.devices.tasks import KINDS, all_fits
from tests.devices.together import run_together

CLOSE = {"adam": 1e-5, "soap": 1e-9, "batch norm": 1e-9, "distillation": 1e-5, "pruning": 1e-5, "gan": 1e-4}
"""Largest difference of a weight; what one process gives for the rows of a batch in another order is as far away."""


@pytest.fixture(scope="module")
def fits(tmp_path_factory) -> tuple[dict, list[dict]]:
    """All tasks in one process, and in two."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    folder, threads = tmp_path_factory.mktemp("fits"), torch.get_num_threads()
    both = run_together("tests.devices.tasks:all_fits", folder, folder / "two")
    torch.set_num_threads(1)
    alone = all_fits(str(folder / "one"))
    torch.set_num_threads(threads)
    return alone, both


@pytest.mark.parametrize("kind", KINDS)
def test_weights_and_figures_are_those_of_one_process(fits, kind: str):
    alone, both = fits
    for found in both:
        for name, value in alone[kind]["state"].items():
            torch.testing.assert_close(found[kind]["state"][name], value, rtol=0, atol=CLOSE[kind], msg=name)
        assert found[kind]["metrics"] == pytest.approx(alone[kind]["metrics"], rel=2e-3, abs=1e-6)
    assert "val/psnr_y_db" in alone[kind]["metrics"]


def test_the_weights_moved_much_farther_than_they_differ(fits):
    alone, _ = fits
    start = torch.nn.utils.parameters_to_vector(all_starts()["adam"])
    trained = torch.cat([v.flatten() for k, v in alone["adam"]["state"].items() if k.startswith("net.")])
    assert (trained - start).abs().max() > 1e-3


def all_starts() -> dict:
    from tests.devices.tasks import small

    return {"adam": small().parameters()}


def exchanges() -> dict:
    """Call each function once; runs in two processes."""
    from torch import distributed

    rank = distributed.get_rank()
    value = torch.tensor([1.0 + rank], requires_grad=True)
    mean = shared_mean(value)
    (mean * (rank + 1) ** 2).sum().backward()
    rows = torch.arange(6).reshape(3, 2) + 10 * rank
    return {
        "mean": mean.item(), "grad": value.grad.item(), "average": average(torch.tensor([2.0 * rank])).item(),
        "whole": whole_batch(rows).tolist(), "own": own_rows(torch.arange(5)).tolist(), "agreed": agreed(rank == 0),
    }  # fmt: skip


def test_what_each_exchange_gives(tmp_path: Path):
    first, second = run_together("tests.devices.test_collectives:exchanges", tmp_path)
    for found in (first, second):
        assert (found["mean"], found["grad"], found["average"], found["agreed"]) == (1.5, 2.5, 1.0, True)
        assert found["whole"] == [[0, 1], [10, 11], [2, 3], [12, 13], [4, 5], [14, 15]]
    assert (first["own"], second["own"]) == ([0, 2, 4], [1, 3])


def test_only_messages_of_a_lost_process_count_as_one():
    assert is_lost(RuntimeError("gloo/transport/tcp/pair.cc:547] Connection closed by peer [::1]:1"))
    assert not is_lost(ValueError("connection closed by peer"))
    assert not is_lost(RuntimeError("CUDA out of memory"))
