"""Sizes: the LR size for a target resolution, and ONNX files with a free or a fixed size."""

from collections.abc import Sequence
from fractions import Fraction

from onnx import TensorProto, TensorShapeProto, ValueInfoProto, shape_inference

from sr.config.sizes import TARGETS, lr_sides
from sr.export.graph.onnx_graph import Graph

Dimension = TensorShapeProto.Dimension


def lr_size(size: str, *, scale: float, multiple: int) -> tuple[int, int]:
    """Return height and width of the low-resolution image for a size in the config.

    A preset names the **target**: LR = ceil(target / scale), rounded up to what the net accepts, so the output covers
    the target. 1080p at x4 is exactly 270 x 480; at x1.5 exactly 720 x 1280. 1080p at x3 is 360 x 640 and 540p at x4 is
    135 x 240. 720p at x1.5 is 480 x 854 (853.33 is not a whole pixel); its output of 720 x 1281 is cropped by one
    column on the screen. "540x960" is the LR size itself.

    Args:
        size: A key of `TARGETS`, or height x width of the LR image.
        scale: Scale of the net.
        multiple: LR height and width must be multiples of this.

    Raises:
        ValueError: The size is neither a preset nor HxW, has too many pixels, or does not fit the net.

    >>> lr_size("1080p", scale=2, multiple=1)
    (540, 960)
    >>> lr_size("720p", scale=1.5, multiple=2)
    (480, 854)
    """
    sides = lr_sides(size)
    if sides is None:
        height, width = (-(-Fraction(side) // (Fraction(scale) * multiple)) * multiple for side in TARGETS[size])
        return int(height), int(width)
    height, width = sides
    if height % multiple or width % multiple:
        raise ValueError(f"size={size!r} does not fit this net: both sides have to be multiples of {multiple}")
    return height, width


def is_bound_to_size(graph: Graph) -> bool:
    """Return whether a graph that was traced at one size has that size in its constants and accepts no other."""
    return bool(graph.of_type("Reshape", "Shape", "Slice", "Expand", "Resize"))


def free_shape(graph: Graph) -> None:
    """Free height and width of input and output; the graph must not be bound to its size."""
    for value, names in ((graph.model.graph.input[0], "hw"), (graph.model.graph.output[0], "HW")):
        for dim, name in zip(_sides(value), names, strict=True):
            dim.dim_param = name
    del graph.model.graph.value_info[:]


def has_free_shape(graph: Graph) -> bool:
    """Return whether the graph accepts images of any size."""
    return all(dim.dim_param for dim in _sides(graph.model.graph.input[0]))


def fix_shape(graph: Graph, height: int, width: int) -> None:
    """Fix the input size in LR pixels and all other sizes; the graph must not be bound to another size."""
    for dim, size in zip(_sides(graph.model.graph.input[0]), (height, width), strict=True):
        dim.dim_value = size
    for dim in graph.model.graph.output[0].type.tensor_type.shape.dim:
        dim.Clear()
    del graph.model.graph.value_info[:]
    graph.model.CopyFrom(shape_inference.infer_shapes(graph.model, strict_mode=True, data_prop=True))
    del graph.model.graph.value_info[:]
    graph.index()


def fixed_lr_size(graph: Graph) -> tuple[int, int]:
    """Return height and width in LR pixels that a graph is fixed to; 0 where it is free."""
    height, width = (dim.dim_value for dim in _sides(graph.model.graph.input[0]))
    return height, width


def _sides(value: ValueInfoProto) -> Sequence[Dimension]:
    """Return height and width of a graph input or output, NHWC pixels or NCHW planes."""
    tensor = value.type.tensor_type
    first = 1 if tensor.elem_type == TensorProto.UINT8 else 2
    return tensor.shape.dim[first : first + 2]
