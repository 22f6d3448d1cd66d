"""MESRNet: MACs against RRDBNet, as the poster states them, and wrong arguments."""

import pytest

from sr.cost.count import cost
from sr.models.mesrnet import MESRNet
from sr.models.rrdbnet import RRDBNet

ESRGAN = dict(scale=4, f=64, growth=32, m=23, standardized=False)
TINY = dict(scale=2, f=8, growth=4, m=2, standardized=False)


def test_bottlenecks_halve_the_multiplications_of_what_they_replace() -> None:
    rrdb, mesr = (cost(net, 8, 8).macs_g for net in (RRDBNet(**ESRGAN), MESRNet(**ESRGAN, expansion=1)))
    others = 8 * 8 * (64 * 27 + 64 * 64 * 9 * (1 + 4 + 16 + 16) + 16 * 64 * 27) / 1e9  # both have these convolutions
    assert round((mesr - others) / (rrdb - others), 2) == 0.52
    assert round(mesr / rrdb, 3) == 0.557
    assert cost(MESRNet(**ESRGAN, expansion=2), 8, 8).macs_g > rrdb


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"scale": 8}, "MESRNet cannot upscale by 8"), ({"expansion": 0}, "expansion above 0, got 0")],
)
def test_refusals(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MESRNet(**TINY | {"expansion": 1} | changes)
