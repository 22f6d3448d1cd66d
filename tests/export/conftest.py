"""Tiny nets, their simulations and photographs that the export tests share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from skimage import data as photographs
from torch import nn

from sr.data.pairs import ImagePair
from sr.export.certificate.proof import Bounds
from sr.export.graph.float_onnx import export_float
from sr.export.graph.onnx_graph import Graph
from sr.functional.resize import downscale
from sr.models.quicksrnet import QuickSRNet

ROOT = Path(__file__).resolve().parents[2]
SIDE = 24  # LR pixels of a test image


@pytest.fixture(scope="session")
def tiny_net() -> Callable[..., nn.Module]:
    """QuickSRNet with the arguments of its YAML, f=8 and m=1 unless said otherwise; always the same weights."""

    def make(**changes: Any) -> nn.Module:
        values = yaml.safe_load((ROOT / "conf/model/quicksrnet.yaml").read_text())
        del values["_target_"]
        torch.manual_seed(0)
        return QuickSRNet(**values | {"f": 8, "m": 1, "scale": 2} | changes).eval()

    return make


@pytest.fixture(scope="session")
def crops() -> Callable[..., list[ImagePair]]:
    """Photographs, as pairs of a scale."""

    def make(scale: float, count: int = 2, side: int = SIDE) -> list[ImagePair]:
        hr_side = int(side * scale)
        images = [
            picture()[60 : 60 + hr_side, 90 : 90 + hr_side] for picture in (photographs.astronaut, photographs.chelsea)
        ]
        return [
            ImagePair(str(i), downscale(hr, scale), np.ascontiguousarray(hr)) for i, hr in enumerate(images[:count])
        ]

    return make


@pytest.fixture(scope="session")
def simulated(crops: Callable[..., list[ImagePair]]) -> Callable[..., Any]:
    """AIMET's W8A8 simulation of a net, calibrated, its biases on their grid."""

    def make(net: nn.Module, **changes: Any) -> Any:
        from sr.quantization.pipeline import quantize
        from sr.quantization.scheme import Scheme

        values: dict[str, Any] = {
            "name": "test",
            "numbers": "integer",
            "weight_bits": 8,
            "activation_bits": 8,
            "per_channel": True,
        }
        calibration: dict[str, Any] = {"calibration": "min_max", "percentile": 99.99, "stages": {}, "chain": []}
        scheme = Scheme(calibration_batches=1, calibration_batch_size=1, **values | calibration | changes)
        lr = np.stack([pair.lr for pair in crops(net.scale)])
        batch = torch.from_numpy(lr).permute(0, 3, 1, 2).float() / 255
        material: dict[str, Any] = {"stream": None, "loss": nn.L1Loss(), "score": None, "folder": Path(), "seed": 0}
        return quantize(net=net, scheme=scheme, calibration=[batch], **material)

    return make


@pytest.fixture
def float_graph(tmp_path: Path) -> Callable[[nn.Module], Graph]:
    """The graph of a float net, traced at the size of a test image."""

    def make(net: nn.Module) -> Graph:
        export_float(net, tmp_path / "float.onnx", height=SIDE, width=SIDE)
        return Graph.load(tmp_path / "float.onnx")

    return make


@pytest.fixture
def qdq_graph(tmp_path: Path) -> Callable[[Any], Graph]:
    """The graph of a simulation, traced at the size of a test image."""

    def make(simulation: Any) -> Graph:
        simulation.export_qdq(tmp_path / "qdq.onnx", height=SIDE, width=SIDE)
        return Graph.load(tmp_path / "qdq.onnx")

    return make


@pytest.fixture
def pixels() -> torch.Tensor:
    """Noise of whole bytes, (1, 3, 24, 24) in [0, 1]."""
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, SIDE, SIDE), dtype=np.uint8)).float() / 255


@pytest.fixture(scope="session")
def bounds() -> Callable[..., Bounds]:
    """The bounds of the YAML, with changes."""

    def make(**changes: Any) -> Bounds:
        values = yaml.safe_load((ROOT / "conf/export/onnx.yaml").read_text())["bounds"]
        del values["_target_"]
        return Bounds(**values | changes)

    return make
