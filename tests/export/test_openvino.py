from pathlib import Path
from typing import Any

import pytest

from sr.export.openvino import Compiled
from sr.export.release import build_release
from sr.export.runtime import on_cpu

pytest.importorskip("openvino", reason="needs the extra openvino")


@pytest.mark.aimet
def test_gives_the_pixels_of_onnx_runtime_at_any_size(
    tiny_net: Any, simulated: Any, pixels: Any, tmp_path: Path
) -> None:
    net = tiny_net(residual="input_to_output")
    sizes = {"proof_size": (24, 24), "target_size": (24, 24)}
    graph = build_release(simulated(net), net, tmp_path, **sizes, space_to_depth="operator").pixels
    run, wanted = Compiled(tmp_path / "pixels.onnx", 1), on_cpu(graph, optimized=True)
    for side in (24, 15):
        image = pixels[:, :, :side]
        difference = (run(image) - wanted(image)) * 255
        assert difference.abs().max().round() <= 1 and difference.mean().abs() < 0.05
