"""Half precision as an NPU computes a float net: weights and the output of each operation are rounded to fp16."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sr.models.net import Net
from sr.quantization.scheme import Scheme
from sr.quantization.simulation import Simulation

_LARGEST = torch.finfo(torch.float16).max


class HalfSimulation(Simulation):
    """Float net whose weights and module outputs are rounded to fp16; sums are fp32.

    Args:
        net: Net in its inference form; it is copied.
        scheme: A float scheme of 16 bits.

    Raises:
        ValueError: A weight is too large for fp16.
    """

    def __init__(self, net: Net, scheme: Scheme) -> None:
        super().__init__(copy.deepcopy(net), scheme)
        for name, parameter in self.net.named_parameters():
            if parameter.abs().max() > _LARGEST:
                raise ValueError(
                    f"{name} has values beyond {_LARGEST:g}, which fp16 cannot hold; use quantization=fp32"
                )
            parameter.data = _rounded(parameter.data)
        self._leaves = [module for module in self.net.modules() if not list(module.children())]
        self._round_outputs()

    def export_qdq(self, path: Path, *, height: int | None, width: int | None) -> None:
        """Write the ONNX file, see `Simulation.export_qdq`: fp32 numbers that hold fp16 values."""
        with self._plain():
            super().export_qdq(path, height=height, width=width)

    def _round_outputs(self) -> None:
        self._hooks = [module.register_forward_hook(_round_output) for module in self._leaves]

    @contextmanager
    def _plain(self) -> Iterator[None]:
        for hook in self._hooks:
            hook.remove()
        try:
            yield
        finally:
            self._round_outputs()


def _round_output(_: nn.Module, __: tuple[Any, ...], output: Tensor) -> Tensor:
    return _rounded(output)


def _rounded(values: Tensor) -> Tensor:
    return values.half().to(values.dtype)
