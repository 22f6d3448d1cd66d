"""The files of a release, also of a net whose graph holds its size."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.functional import interpolate

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.shape import has_free_shape
from sr.export.release import build_release, write_float
from sr.export.runtime import on_cpu


class Resized(nn.Module):
    """x2 whose attention is enlarged to the size of its input, which tracing would freeze."""

    scale, color, size_multiple = 2, "rgb", 1

    def __init__(self) -> None:
        super().__init__()
        self.small = nn.Conv2d(3, 12, 3, stride=2)
        self.body = nn.Conv2d(3, 12, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Gate the body by an enlarged map."""
        gate = interpolate(self.small(lr), size=lr.shape[-2:], mode="bilinear", align_corners=False)
        return self.shuffle(self.body(lr) * gate.sigmoid())


def test_a_graph_that_would_hold_its_size_is_exported_open(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = Resized().eval()
    write_float(net, tmp_path / "float.onnx", (16, 16))
    graph = Graph.load(tmp_path / "float.onnx")
    assert has_free_shape(graph)
    for size in ((16, 16), (9, 20)):
        lr = torch.rand(1, 3, *size)
        with torch.no_grad():
            torch.testing.assert_close(on_cpu(graph, optimized=True)(lr), net(lr), rtol=0, atol=1e-5)


def test_every_file_knows_its_net(tiny_net: Callable[..., nn.Module], tmp_path: Path) -> None:
    from sr.quantization.simulation import Simulation

    net = tiny_net(scale=1.5)
    scheme: Any = type("Fp32", (), {"name": "fp32", "is_float": True, "is_unchanged": True})()
    release = build_release(
        Simulation(net, scheme), net, tmp_path, proof_size=(8, 8), target_size=(10, 12), space_to_depth="convolution"
    )
    assert not release.quantized and release.reordered_sums and len(release.notes) == 4
    expected = {"net": "QuickSRNet", "scheme": "fp32", "scale": "1.5", "color": "rgb", "size_multiple": "2"}
    names = sorted(path.name for path in tmp_path.glob("*.onnx"))
    assert names == ["crd.onnx", "dcr.onnx", "float.onnx", "pixels.onnx", "pixels_10x12.onnx"]
    assert all(Graph.load(tmp_path / name).metadata == expected for name in names)
    free = {name: has_free_shape(Graph.load(tmp_path / name)) for name in names}
    assert [name for name, is_free in free.items() if is_free] == ["dcr.onnx", "float.onnx", "pixels.onnx"]
