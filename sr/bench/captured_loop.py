"""The plain PyTorch loop with its whole step in one CUDA graph: the most that a GPU can do."""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from sr.data.patches import Batch
from sr.evaluation import to_network
from sr.tasks.regression import Regression

_WARMUP = 3


class CapturedLoop:
    """Train by replaying one CUDA graph of forward pass, backward pass and optimizer step.

    The learning rate is constant, because a graph holds it. Conversion from bytes and weight average are left out.

    Args:
        task: The task that provides net, loss and optimizer.
        batches: Pairs (lr, hr) of uint8 patches, used cyclically.
        bf16: Whether the forward pass uses bf16 autocast.
        device: A CUDA device.

    Raises:
        ValueError: If the optimizer cannot be recorded.
    """

    name = "plain loop in one CUDA graph"

    def __init__(self, task: Regression, batches: Sequence[Batch], *, bf16: bool, device: torch.device) -> None:
        self.net, self.loss, self._bf16, self._device = task.net.to(device).train(), task.loss.to(device), bf16, device
        self.optimizer = task.configure_optimizers()["optimizer"]
        if "capturable" not in self.optimizer.defaults:
            raise ValueError(f"{type(self.optimizer).__name__} cannot be recorded as a CUDA graph")
        for group in self.optimizer.param_groups:
            group["capturable"] = True
        pool = [tuple(to_network(images.to(device), self.net) for images in batch) for batch in batches]
        self._patches = itertools.cycle(pool)
        self._lr, self._hr = (each.clone() for each in pool[0])
        stream: Any = torch.cuda.Stream(device)
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            for _ in range(_WARMUP):
                self._step()
        torch.cuda.current_stream(device).wait_stream(stream)
        self.optimizer.zero_grad(set_to_none=True)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._step()

    def _step(self) -> Tensor:
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=self._bf16, cache_enabled=False):
            sr = self.net(self._lr)
        loss: Tensor = self.loss(sr.float(), self._hr)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss

    def run(self, iterations: int) -> None:
        """Train for a number of further iterations."""
        for lr, hr in itertools.islice(self._patches, iterations):
            self._lr.copy_(lr)
            self._hr.copy_(hr)
            self._graph.replay()
