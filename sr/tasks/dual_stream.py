"""Training of a net with two streams (`sr.models.etds`): the second stream's own image has a loss as well."""

from typing import Any

import torch
from torch import Tensor, nn

from sr.evaluation import to_network
from sr.models.etds import ETDS
from sr.models.net import Net
from sr.tasks.regression import Regression


class DualStreamObjective(nn.Module):
    """Compute the loss of a batch of uint8 (lr, hr) for the output and for the second stream's own image.

    Args:
        net: A net with a second stream, in its training form.
        loss: Module (sr, hr) -> scalar.
        low_weight: Weight of the loss of the second stream's image.
        bf16: Whether the forward passes run in bf16 autocast; fp32 otherwise.
    """

    def __init__(self, net: ETDS, loss: nn.Module, *, low_weight: float, bf16: bool) -> None:
        super().__init__()
        self.net, self.loss, self.low_weight, self.bf16 = net, loss, low_weight, bf16

    def forward(self, lr: Tensor, hr: Tensor) -> Tensor:
        """Return the loss of lr (N, 3, h, w) and hr (N, 3, s*h, s*w), both uint8, as a scalar."""
        x, target = to_network(lr, self.net), to_network(hr, self.net)
        # A CUDA graph cannot cache the cast weights between steps.
        with torch.autocast(lr.device.type, torch.bfloat16, enabled=self.bf16, cache_enabled=False):
            sr, low = self.net(x), self.net.low_stream(x)
        return self.loss(sr.float(), target) + self.low_weight * self.loss(low.float(), target)


class DualStream(Regression):
    """Minimise a pixel loss of the output plus that of the second stream's own image.

    Args:
        low_weight: Weight of the second loss, above 0; 0.5 in the paper.
        net: `sr.models.etds.ETDS` in its training form.
        regression: The other arguments of `Regression`.

    Raises:
        ValueError: If the net has no second stream or the weight is not positive.

    Source: ETDS (CVPR 2023), equation 15.
    """

    def __init__(self, *, low_weight: float, net: Net, **regression: Any) -> None:
        if not isinstance(net, ETDS):
            raise ValueError(
                f"task=dual_stream trains a net with two streams, got {type(net).__name__}: set model=etds, or leave "
                "task=regression"
            )
        if not low_weight > 0:
            raise ValueError(f"task.low_weight must be above 0, got {low_weight}; without the loss use task=regression")
        super().__init__(net=net, **regression)
        self.low_weight = low_weight

    def objective(self, bf16: bool) -> nn.Module:
        """Return the module (lr, hr) -> loss to minimise."""
        assert isinstance(self.net, ETDS)
        return DualStreamObjective(self.net, self.loss, low_weight=self.low_weight, bf16=bf16)
