"""Writer of a LiteRT (TFLite) model: tensors, operators, and the file.

It is written by hand because LiteRT's converters calibrate again; this one keeps the certified ranges exactly.
"""

from pathlib import Path
from typing import Any

import numpy as np

from sr.runs.files import write_atomically

_IDENTIFIER = b"TFL3"
_SCHEMA_VERSION = 3
# LiteRT's operator -> the first version with the features used here.
_VERSIONS = {
    "CONV_2D": 5, "DEPTH_TO_SPACE": 2, "SPACE_TO_DEPTH": 2, "ADD": 2, "MUL": 2, "CONCATENATION": 2, "QUANTIZE": 2,
    "DEQUANTIZE": 2, "RELU": 2, "RELU_0_TO_1": 1, "PRELU": 1, "LEAKY_RELU": 2, "TANH": 2, "LOGISTIC": 2,
    "MAX_POOL_2D": 2, "NEG": 1, "PAD": 2, "SUB": 2, "RESIZE_BILINEAR": 3,
}  # fmt: skip


class ModelFile:
    """One graph of operators on NHWC tensors, in the order in which they run.

    Args:
        description: Line about the model, kept in the file.
    """

    def __init__(self, description: str) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self._schema = schema
        self._description = description
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: dict[str, int] = {}
        self._buffers: list[Any] = [schema.BufferT()]  # the first stands for "no data"

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: str,
        *,
        values: np.ndarray | None = None,
        scale: Any = None,
        zero_point: Any = None,
        axis: int = 0,
    ) -> int:
        """Add a tensor and return its number.

        Args:
            name: Name for readers of the file.
            shape: NHWC shape.
            dtype: "float32", "float16", "int8", "uint8" or "int32".
            values: Values of a constant.
            scale: One scale, or one per entry along `axis`; None for real numbers.
            zero_point: As many zero points; None for zeros.
            axis: Axis of the scales.
        """
        made = self._schema.TensorT()
        made.name, made.shape, made.hasRank = name.encode(), list(shape), True
        made.type = getattr(self._schema.TensorType, dtype.upper())
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            zeros = np.zeros(scales.shape, np.int64) if zero_point is None else np.atleast_1d(zero_point)
            made.quantization = self._schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = scales, zeros.astype(np.int64)
            made.quantization.quantizedDimension = axis if scales.size > 1 else 0
        if values is not None:
            made.buffer = len(self._buffers)
            buffer = self._schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
            self._buffers.append(buffer)
        self._tensors.append(made)
        return len(self._tensors) - 1

    def operator(self, name: str, inputs: list[int], output: int, options: str = "", **settings: Any) -> int:
        """Add an operator and return the number of its output.

        Args:
            name: LiteRT's name of the operator, such as "CONV_2D".
            inputs: Numbers of the input tensors.
            output: Number of the output tensor.
            options: Name of its table of options, such as "Conv2DOptions"; empty if it has none.
            settings: Fields of that table.
        """
        made = self._schema.OperatorT()
        made.opcodeIndex = self._codes.setdefault(name, len(self._codes))
        made.inputs, made.outputs = list(inputs), [output]
        if options:
            made.builtinOptionsType = getattr(self._schema.BuiltinOptions, options)
            made.builtinOptions = getattr(self._schema, f"{options}T")()
            for key, value in settings.items():
                assert hasattr(made.builtinOptions, key), f"{options} has no {key}"
                setattr(made.builtinOptions, key, value)
        self._operators.append(made)
        return output

    def padding(self, same: bool) -> int:
        """Return LiteRT's constant for padding that keeps the size, or for no padding."""
        return self._schema.Padding.SAME if same else self._schema.Padding.VALID

    def save(self, path: Path, entry: int, result: int) -> None:
        """Write the model atomically.

        Args:
            path: The file.
            entry: Number of its input tensor.
            result: Number of its output tensor.
        """
        import flatbuffers

        graph = self._schema.SubGraphT()
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs, graph.name = [entry], [result], b"main"
        model = self._schema.ModelT()
        model.version, model.description = _SCHEMA_VERSION, self._description.encode()
        model.subgraphs, model.buffers = [graph], self._buffers
        model.operatorCodes = [self._code(name) for name in self._codes]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
        write_atomically(path, bytes(builder.Output()))

    def _code(self, name: str) -> Any:
        made = self._schema.OperatorCodeT()
        made.builtinCode = getattr(self._schema.BuiltinOperator, name)
        made.deprecatedBuiltinCode = min(made.builtinCode, 127)
        made.version = _VERSIONS[name]
        return made
