"""Wrapper of AIMET (aimet-torch 2.x): rules for the HTP, registration of modules, and all private API that is used.

AIMET is imported inside the functions that use it: the import takes seconds, and not every machine has AIMET.
"""

import importlib.util
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from sr.export.graph.float_onnx import example_input
from sr.models.blocks import Add, Concat, Scale
from sr.models.net import Net
from sr.models.rfdn import Contrast, Multiply, ResizeLike
from sr.models.span import Centred
from sr.quantization.scheme import Scheme
from sr.runs.silence_logs import silence_logs, silence_prints

MISSING = "quantization needs AIMET, which cannot be imported ({}): pip install aimet-torch, or set quantization=fp32"
ANALYZERS = {"min_max": "tf", "enhanced": "tf_enhanced", "percentile": "percentile"}
# Ops that the HTP runs as one, so that nothing is quantized between them. Depth-to-space only moves pixels.
PRODUCERS = ("Conv", "ConvTranspose", "Add", "Gemm")
FUSED_ACTIVATIONS = ("Relu", "Clip")  # the HTP computes these within a convolution, but not PReLU and LeakyReLU
# Modules of this package -> the ONNX op as which AIMET treats each.
JOIN_OPS = {
    Add: "Add",
    Concat: "Concat",
    Multiply: "Mul",
    Scale: "Mul",
    ResizeLike: "Resize",
    Contrast: "ReduceMean",
    Centred: "Sub",
}
# These functions have a known range, which is not calibrated.
KNOWN_RANGES = {"Relu": {"min": 0.0}, "Sigmoid": {"min": 0.0, "max": 1.0}, "Tanh": {"min": -1.0, "max": 1.0}}


def require() -> None:
    """Check that AIMET is installed, without importing it.

    Raises:
        ValueError: It is not installed.
    """
    if importlib.util.find_spec("aimet_torch") is None:
        raise ValueError(MISSING.format("it is not installed"))


def simulate(net: Net, scheme: Scheme) -> Any:
    """Build AIMET's `QuantizationSimModel` of a copy of the net, with ranges that are not calibrated yet.

    Args:
        net: Net in its inference form.
        scheme: An integer scheme.

    Raises:
        ValueError: AIMET is missing, or the net has a module that it cannot quantize.
    """
    try:
        with silence_logs():
            from aimet_torch import QuantizationSimModel
    except ImportError as error:
        raise ValueError(MISSING.format(error)) from error
    register()
    _refuse_unknown_modules(net, scheme)
    with silence_logs(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rules.json")  # AIMET reads its rules only from a file
        path.write_text(json.dumps(rules(scheme)), encoding="utf-8")
        simulation = QuantizationSimModel(
            net.eval(),
            dummy_input=example_input(net),
            quant_scheme=ANALYZERS[scheme.calibration],
            default_output_bw=scheme.activation_bits,
            default_param_bw=scheme.weight_bits,
            config_file=str(path),
        )
    if scheme.calibration == "percentile":
        simulation.set_percentile_value(scheme.percentile)
    return simulation


def equalized(net: Net) -> Net:
    """Scale the channels between the layers of a net with AIMET, in place, and return the net.

    Args:
        net: Net in its inference form.

    Raises:
        ValueError: AIMET is missing.
    """
    try:
        with silence_logs():
            from aimet_torch.cross_layer_equalization import CrossLayerScaling
    except ImportError as error:
        raise ValueError(f"cross-layer equalisation needs AIMET ({error}): pip install aimet-torch") from error
    register()
    with silence_prints():
        CrossLayerScaling.scale_model(net, dummy_input=example_input(net))
    return net


def rules(scheme: Scheme) -> dict[str, Any]:
    """Return AIMET's configuration for the HTP: which tensors are quantized, how, and which ops run as one.

    Source: the htp_v73 rules that AIMET ships, without the ops of language models, plus clips, sums and depth-to-space.

    Args:
        scheme: An integer scheme; only `per_channel` is read.
    """
    ops: dict[str, Any] = {
        op: {"per_channel_quantization": str(scheme.per_channel)} for op in ("Conv", "ConvTranspose", "Gemm")
    }  # the slopes of a PReLU share one scale: the HTP supports no other
    ops |= {op: {"encoding_constraints": known} for op, known in KNOWN_RANGES.items()}
    fused = [[producer, activation] for producer in PRODUCERS for activation in FUSED_ACTIVATIONS]
    fused += [["Conv", "BatchNormalization", activation] for activation in FUSED_ACTIVATIONS]
    fused += [[producer, "DepthToSpace", "Clip"] for producer in PRODUCERS]
    return {
        "defaults": {
            "hw_version": "V73",
            "ops": {"is_output_quantized": "True"},
            "params": {"is_quantized": "True", "is_symmetric": "True"},
            "per_channel_quantization": "False",
            "strict_symmetric": "False",
            "unsigned_symmetric": "False",
        },
        "params": {"bias": {"is_quantized": "False"}},
        "op_type": ops,
        "supergroups": [{"op_list": group} for group in fused],
        "model_input": {"is_input_quantized": "True"},
        "model_output": {},
    }


def register() -> None:
    """Register the join modules with AIMET, and register Hardtanh as the op Clip.

    Without the Clip entry a convolution and its ReLU1 do not become one op, and each clip gets a quantizer in front.
    Both Hardtanh classes are needed, because AIMET converts modules before it reads the graph.
    """
    from aimet_torch.nn import QuantizationMixin, QuantizedHardtanh
    from aimet_torch.onnx_utils import map_torch_types_to_onnx

    for hardtanh in (nn.Hardtanh, QuantizedHardtanh):
        map_torch_types_to_onnx[hardtanh] = ["Clip"]
    for join, op in JOIN_OPS.items():
        map_torch_types_to_onnx[join] = [op]
        if join not in QuantizationMixin.cls_to_qcls:
            QuantizationMixin.implements(join)(_quantized_join(join))


@contextmanager
def sequential_mse_of_any_bits() -> Iterator[None]:
    """Let AIMET's sequential MSE treat layers of up to 16 bits within the block.

    Private API: AIMET skips layers of more than 4 bits silently, and only this module variable says so.
    """
    from aimet_torch._base import seq_mse

    before, seq_mse.SUPPORTED_PARAM_BW = seq_mse.SUPPORTED_PARAM_BW, 16
    try:
        yield
    finally:
        seq_mse.SUPPORTED_PARAM_BW = before


def adaround_on(simulate_net: Callable[[Net], Any]) -> Any:
    """Return AIMET's AdaRound class, made to round on the grid of a given simulation.

    Private API: AdaRound builds a simulation of its own with ranges of its own, and only `_get_quantsim` changes that.

    Args:
        simulate_net: Function from a float net to an AIMET simulation with the ranges wanted.
    """
    from aimet_torch.adaround.adaround_weight import Adaround

    class Rounding(Adaround):
        """AdaRound with the simulation of the caller."""

        @staticmethod
        def _get_quantsim(model: Net, *_: Any, **__: Any) -> Any:
            return simulate_net(model)

    return Rounding


def _quantized_join(join: Any) -> Any:
    """Return AIMET's quantized counterpart of a module with several inputs and one output."""
    from aimet_torch.nn import QuantizationMixin

    class Join(QuantizationMixin, join):
        """A join whose inputs and output AIMET may quantize."""

        def __quant_init__(self) -> None:
            super().__quant_init__()
            none: Any = None  # AIMET's value for an input that is not quantized
            self.input_quantizers: Any = nn.ModuleList([none, none])

        def forward(self, *parts: Tensor) -> Tensor:
            """Quantize the inputs, join them and quantize the result, each where there is a quantizer."""
            quantizers = [*self.input_quantizers, *[None] * len(parts)][: len(parts)]
            joined = super().forward(
                *(part if q is None else q(part) for part, q in zip(parts, quantizers, strict=True))
            )
            quantizer = self.output_quantizers[0]
            return joined if quantizer is None else quantizer(joined)

        @classmethod
        def _supports_dynamic_input_count(cls) -> bool:
            return join is Concat

    Join.__name__ = Join.__qualname__ = f"Quantized{join.__name__}"
    return Join


def _refuse_unknown_modules(net: nn.Module, scheme: Scheme) -> None:
    from aimet_torch.nn import QuantizationMixin

    unknown = sorted(
        f"{name} ({type(module).__name__})"
        for name, module in net.named_modules()
        if not list(module.children()) and type(module) not in QuantizationMixin.cls_to_qcls
    )
    if unknown:
        raise ValueError(
            f"{type(net).__name__} cannot be quantized to {scheme.name}: AIMET does not know {', '.join(unknown)}. "
            "Use quantization=fp32 for this net"
        )
