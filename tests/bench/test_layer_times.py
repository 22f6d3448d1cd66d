"""Time by kind of layer: kinds, counts and MACs of a net, and no hook that stays."""

import pytest
from torch import nn

from sr.bench.layer_times import kind_of, time_by_kind
from sr.cost.count import cost
from sr.models.xlsr import XLSR


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (nn.Conv2d(3, 8, 3), "3x3"),
        (nn.Conv2d(8, 8, (1, 5)), "1x5"),
        (nn.Conv2d(8, 8, 3, groups=8), "depthwise 3x3"),
        (nn.Conv2d(8, 8, 3, groups=4), "3x3"),
        (nn.ReLU(), "ReLU"),
    ],
)
def test_kinds(layer: nn.Module, kind: str) -> None:
    assert kind_of(layer) == kind


def test_counts_and_macs_are_those_of_the_net() -> None:
    net = XLSR(scale=2, overparameterize="none").eval()
    rows = {row["kind"]: row for row in time_by_kind(net, 16, batch_size=1, num_runs=2)}
    assert (rows["3x3"]["layers"], rows["1x1"]["layers"], rows["ReLU"]["layers"]) == (6, 5, 5)
    assert sum(row["macs_g"] or 0 for row in rows.values()) == pytest.approx(cost(net, 16, 16).macs_g)
    assert rows["ReLU"]["macs_g"] is None and rows["3x3"]["gflops"] > 0
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
