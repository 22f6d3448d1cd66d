"""The classes of docs/own_net.md: the plain one is for `sr export`, the other one is trained."""

import re
import sys
from pathlib import Path

import pytest
import torch

from sr.api.foreign import adopt
from sr.bench.setting import composed
from sr.building import build

PAGE = Path(__file__).parents[2] / "docs/own_net.md"
NAMED = ["~model", "+model._target_=my_net.MyNet", "logger=none"]


@pytest.fixture
def blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the Python of the page; `my_net.py` in the current folder can be imported."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_net", raising=False)
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def test_the_plain_class_is_exported_and_not_trained(blocks: list[str]) -> None:
    names: dict[str, type] = {}
    exec(blocks[0], names)
    net = adopt(names["MyNet"]())
    assert (net.scale, net.color) == (2, "rgb") and net(torch.rand(1, 3, 8, 6)).shape == (1, 3, 16, 12)
    Path("my_net.py").write_text(blocks[0], encoding="utf-8")
    with (
        composed(NAMED) as (config, _),
        pytest.raises(
            ValueError, match=r"model._target_=my_net.MyNet is no net that is trained here; derive the class"
        ),
    ):
        build(config)


def test_the_class_below_net_is_built(blocks: list[str]) -> None:
    Path("my_net.py").write_text("\n".join(blocks), encoding="utf-8")
    with composed([*NAMED, "+model.f=4"]) as (config, _):
        task, _ = build(config)
    assert task.net.body[0].out_channels == 4 and task.net(torch.rand(1, 3, 8, 6)).shape == (1, 3, 16, 12)
