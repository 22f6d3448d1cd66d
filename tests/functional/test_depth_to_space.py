"""The order of channels, against ONNX Runtime's DepthToSpace and SpaceToDepth."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch.nn.functional import conv2d, pixel_shuffle, pixel_unshuffle

from sr.functional.depth_to_space import crd_to_dcr


def _run(op: str, images: torch.Tensor, **attributes: object) -> np.ndarray:
    """One ONNX operator in ONNX Runtime."""
    node = onnx.helper.make_node(op, ["x"], ["y"], **attributes)
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in "xy")
    graph = onnx.helper.make_graph([node], op, [x], [y])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": images.numpy()})[0]


@pytest.mark.parametrize(("channels", "block"), [(3, 2), (3, 3), (3, 4), (1, 4)])
def test_depth_to_space_in_dcr_mode_of_permuted_rows_is_the_pixel_shuffle(channels: int, block: int) -> None:
    lr, weight = torch.rand(2, 5, 4, 3), torch.rand(channels * block**2, 5, 1, 1)
    permuted = conv2d(lr, weight[crd_to_dcr(channels, block)])
    ours = _run("DepthToSpace", permuted, blocksize=block, mode="DCR")
    np.testing.assert_allclose(ours, pixel_shuffle(conv2d(lr, weight), block), rtol=1e-6)


@pytest.mark.parametrize(("channels", "block"), [(3, 2), (32, 2), (4, 3)])
def test_a_permuted_input_axis_reads_space_to_depth_as_the_pixel_unshuffle(channels: int, block: int) -> None:
    images, weight = torch.rand(2, channels, 12, 6), torch.rand(5, channels * block**2, 1, 1)
    order = crd_to_dcr(channels, block)
    deep = torch.from_numpy(_run("SpaceToDepth", images, blocksize=block))
    assert torch.equal(deep, pixel_unshuffle(images, block)[:, order])
    torch.testing.assert_close(conv2d(deep, weight[:, order]), conv2d(pixel_unshuffle(images, block), weight))


def test_argsort_leads_back() -> None:
    order = crd_to_dcr(3, 3)
    assert torch.equal(order[order.argsort()], torch.arange(27))


def test_refuses_an_empty_block() -> None:
    with pytest.raises(ValueError, match="must be positive, got channels=3, block=0"):
        crd_to_dcr(3, 0)
