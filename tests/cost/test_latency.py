"""Timing: the order of the percentiles, the kinds of ONNX input, and what is refused."""

import time
from pathlib import Path

import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from sr.cost.latency import call_latency, onnx_latency, torch_latency


def save_identity(path: Path, kind: int, shape: list[int | str]) -> Path:
    values = [helper.make_tensor_value_info(name, kind, shape) for name in ("input", "output")]
    graph = helper.make_graph([helper.make_node("Identity", ["input"], ["output"])], "identity", values[:1], values[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    return path


def test_timed_counts_what_it_says() -> None:
    calls = []
    latency = call_latency(lambda: (calls.append(0), time.sleep(0.002)), num_repeats=5, num_warmup=2, num_threads=1)
    assert len(calls) == 7
    assert 2 <= latency.p10_ms <= latency.median_ms <= latency.p90_ms < 200
    assert latency.to_dict()["num_repeats"] == 5


def test_torch_latency_leaves_the_mode_of_the_net() -> None:
    net = nn.Conv2d(3, 4, 3).train()
    latency = torch_latency(net, torch.rand(1, 3, 16, 16), num_repeats=3, num_warmup=1)
    assert latency.median_ms > 0
    assert latency.num_threads == torch.get_num_threads()
    assert net.training


def test_torch_latency_refuses_another_device() -> None:
    with pytest.raises(ValueError, match="got a tensor on meta"):
        torch_latency(nn.Conv2d(3, 4, 3), torch.rand(1, 3, 8, 8, device="meta"))


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (TensorProto.FLOAT, [1, 3, 8, 8]),
        (TensorProto.FLOAT, ["n", 3, "h", "w"]),
        (TensorProto.UINT8, ["n", "h", "w", 3]),
    ],
)
def test_onnx_latency_fills_open_sizes(tmp_path: Path, kind: int, shape: list[int | str]) -> None:
    path = save_identity(tmp_path / "net.onnx", kind, shape)
    latency = onnx_latency(path, 6, 10, num_threads=1, num_repeats=3, num_warmup=1)
    assert latency.median_ms > 0
    assert latency.num_threads == 1


def test_onnx_latency_names_what_it_cannot_feed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no ONNX file at .*absent\.onnx"):
        onnx_latency(tmp_path / "absent.onnx", 8, 8, num_threads=1)
    path = save_identity(tmp_path / "net.onnx", TensorProto.INT64, [4])
    with pytest.raises(ValueError, match=r"expected an image.*tensor\(int64\)"):
        onnx_latency(path, 8, 8, num_threads=1)
