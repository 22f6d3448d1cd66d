"""Integer simulation: AIMET's, with pinned ranges for pixels and clips, and biases on the accumulator's grid."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sr.export.graph.float_onnx import onnx_names
from sr.functional.hooks import forward_hooks
from sr.models.blocks import Concat
from sr.models.net import Net
from sr.quantization.aimet import simulate
from sr.quantization.scheme import Scheme
from sr.quantization.simulation import Simulation
from sr.runs.files import write_atomically
from sr.runs.silence_logs import silence_logs

OPSET_QDQ = 21  # the first opset with 4- and 16-bit integers in QuantizeLinear
MOVERS = (nn.PixelShuffle, nn.PixelUnshuffle, nn.MaxPool2d)  # they move values, so the output has the grid of the input


class IntegerSimulation(Simulation):
    """Net whose weights and activations are rounded to integers as the scheme says; `calibrate` sets the ranges.

    Args:
        net: Net in its inference form; it is copied.
        scheme: An integer scheme.

    Raises:
        ValueError: AIMET is missing, or the net has a module that it cannot quantize.
    """

    def __init__(self, net: Net, scheme: Scheme) -> None:
        self._sim = simulate(net, scheme)
        super().__init__(self._sim.model, scheme)
        for module in self.net.modules():
            if isinstance(module, MOVERS):
                module.register_forward_hook(_carry_encoding)
        self._pin_pixels()
        self._pin_clips()

    def calibrate(self, inputs: Sequence[Tensor]) -> None:
        """Set the ranges, see `Simulation.calibrate`."""
        with silence_logs():
            self._sim.compute_encodings(lambda net: [net(images) for images in inputs])
        self._leave_out_lowest()
        self.check_ranges()

    def take_weights(self, weights: Mapping[str, Tensor], ranges: Path) -> None:
        """Load weights that lie on the grid already, and fix their ranges.

        Args:
            weights: Parameter name -> tensor, for all parameters of the float net.
            ranges: JSON file of weight ranges as AIMET's AdaRound writes it.
        """
        self.net.load_state_dict(weights, strict=False)
        with silence_logs():
            self._sim.set_and_freeze_param_encodings(str(ranges))

    @property
    def aimet(self) -> Any:
        """Return AIMET's `QuantizationSimModel` of `net`."""
        return self._sim

    def weight_ranges(self) -> dict[str, tuple[Tensor, Tensor]]:
        """Return, by layer, the smallest and the largest value that the grid of its weights has."""
        ranges = {}
        for name, quantizer in weight_quantizers(self._sim).items():
            low, high = quantizer.get_min(), quantizer.get_max()
            ranges[name] = (low.detach().as_subclass(Tensor).clone(), high.detach().as_subclass(Tensor).clone())
        return ranges

    def fix_weight_ranges(self, ranges: Mapping[str, tuple[Tensor, Tensor]]) -> None:
        """Fix ranges that `weight_ranges` returned: calibration and training no longer change them."""
        fix_ranges(self._sim, ranges)

    def check_ranges(self) -> None:
        """Check all ranges, see `Simulation.check_ranges`."""
        for name, quantizer in self._sim.named_quantizers():
            scale = quantizer.get_scale()
            if scale is None or not bool(torch.isfinite(scale).all()):
                raise ValueError(
                    f"the range of {name} is not a number: its layer gave no finite values. "
                    "Look for a float net that diverged, or a layer that the net never runs"
                )

    @torch.no_grad()
    def snap(self) -> None:
        """Round biases to the accumulator's grid, and move 8-bit weights off the lowest integer, which LiteRT lacks.

        Weights reach -128 only by training or learned rounding, because the calibrated ranges leave it out.
        """
        self.snap_biases()
        for name, quantizer in self._without_lowest():
            weight: Any = self.net.get_submodule(name).weight
            weight.copy_(weight.as_subclass(Tensor).maximum((quantizer.qmin + 1) * _scale(quantizer)))

    @torch.no_grad()
    def snap_biases(self) -> None:
        """Round each bias to the nearest multiple of input scale x weight scale, as hardware has it.

        With float biases the simulation would differ from integer hardware in several percent of the pixels.
        """

        def snap(module: Any, inputs: tuple[Tensor, ...], _: Tensor) -> None:
            scale = _bias_scale(module, inputs[0])
            module.bias.copy_((module.bias.double() / scale).round() * scale)

        convs = [
            m for m in self._sim.qmodules() if getattr(m, "bias", None) is not None and "weight" in m.param_quantizers
        ]
        with forward_hooks((module, snap) for module in convs):
            self.net(self.example())

    def encodings(self, version: str) -> dict[str, Any]:
        """Return the ranges, see `Simulation.encodings`; version 1.0.0 leaves the biases out."""
        with tempfile.TemporaryDirectory() as folder, silence_logs():
            names = onnx_names(None, None)
            self._sim.onnx.export(args=(self.example(),), f=f"{folder}/net.onnx", encoding_version=version, **names)
            return json.loads(Path(folder, "net.encodings").read_text(encoding="utf-8"))

    def export_qdq(self, path: Path, *, height: int | None, width: int | None) -> None:
        """Write the ONNX file, see `Simulation.export_qdq`: CRD depth-to-space, int8 weights and int32 biases."""
        import aimet_torch.onnx

        def write(temporary: Path) -> None:
            aimet_torch.onnx.export(
                self.net,
                (self.example(height, width),),
                str(temporary),
                opset_version=OPSET_QDQ,
                prequantize_constants=True,
                export_int32_bias=True,
                force_activation_as="unsigned",
                **onnx_names(height, width),
            )

        with silence_logs():
            write_atomically(path, write)

    def _without_lowest(self) -> list[tuple[str, Any]]:
        """Return kernels with quantizers that leave out the lowest integer: LiteRT has no -128, 4 bits need -8."""
        return [(name, q) for name, q in weight_quantizers(self._sim).items() if q.bitwidth >= 8]

    @torch.no_grad()
    def _leave_out_lowest(self) -> None:
        """Widen a calibrated range by one step where a weight would become the lowest integer."""
        for name, quantizer in self._without_lowest():
            weight: Any = self.net.get_submodule(name).weight
            scale = _scale(quantizer)
            over = [axis for axis in range(weight.dim()) if scale.dim() == 0 or scale.shape[axis] == 1]
            lowest = weight.as_subclass(Tensor).amin(over, keepdim=scale.dim() > 0)
            wider = torch.where(lowest < (quantizer.qmin + 0.6) * scale, quantizer.qmin / (quantizer.qmin + 1), 1.0)
            if _is_learned(quantizer):
                quantizer.set_range(quantizer.get_min() * wider, quantizer.get_max() * wider)

    def _pin_pixels(self) -> None:
        """Pin the range of each quantizer that reads the image to [0, 1], even if the crops have no white."""
        image = self.example()
        readers: list[tuple[Any, int]] = []

        def note(module: Any, inputs: tuple[Any, ...]) -> None:
            readers.extend((module, i) for i, value in enumerate(inputs) if value is image)

        with forward_hooks(((module, note) for module in self._sim.qmodules()), before=True):
            self.calibrate([image])
        for module, i in readers:
            if module.input_quantizers[i] is not None:
                pin(module.input_quantizers[i], 0.0, 1.0)

    def _pin_clips(self) -> None:
        """Pin the output range of each clip to its bounds, unless a module that is no clip shares the quantizer."""
        owners: dict[Any, list[Any]] = defaultdict(list)
        for module in self._sim.qmodules():
            for quantizer in module.output_quantizers:
                if quantizer is not None and not isinstance(module, Concat):  # a join shares its parts' quantizer
                    owners[quantizer].append(module)
        for quantizer, modules in owners.items():
            bounds = {(m.min_val, m.max_val) if isinstance(m, nn.Hardtanh) else None for m in modules}
            pinned = bounds.pop()
            if pinned is not None and not bounds:
                pin(quantizer, *map(float, pinned))


def weight_quantizers(sim: Any) -> dict[str, Any]:
    """Return the quantizers of all kernels in AIMET's simulation, by layer."""
    kernels = {name: dict(module.param_quantizers.items()).get("weight") for name, module in sim.named_qmodules()}
    return {name: quantizer for name, quantizer in kernels.items() if quantizer is not None}


def fix_ranges(sim: Any, ranges: Mapping[str, tuple[Tensor, Tensor]]) -> None:
    """Fix the ranges of kernels in AIMET's simulation.

    Args:
        sim: AIMET's `QuantizationSimModel`.
        ranges: Layer -> smallest and largest value of its grid.
    """
    quantizers = weight_quantizers(sim)
    for name, limits in ranges.items():
        quantizers[name].allow_overwrite(True)
        pin(quantizers[name], *limits)


def _scale(quantizer: Any) -> Tensor:
    return quantizer.get_scale().detach().as_subclass(Tensor)


def _is_learned(quantizer: Any) -> bool:
    return any(parameter.requires_grad for parameter in quantizer.parameters())


def pin(quantizer: Any, low: float | Tensor, high: float | Tensor) -> None:
    """Fix a range for good: calibration skips it and training leaves it."""
    quantizer.set_range(low, high)
    quantizer.allow_overwrite(False)
    quantizer.requires_grad_(False)


def _carry_encoding(module: Any, inputs: tuple[Any, ...], output: Any) -> Tensor:
    """Keep the grid of values across an op that only moves them, which AIMET forgets.

    Without it the bias of a convolution after space-to-depth would be exported on another grid.
    """
    own = getattr(module, "input_quantizers", [None])[0]  # sequential MSE runs the float modules, too
    image = inputs[0] if own is None or not own.is_initialized() else own(inputs[0])  # the first op of a net
    encoding = getattr(image, "encoding", None)
    if encoding is None or getattr(output, "encoding", None) is not None:
        return output
    carried = output.as_subclass(type(image))
    carried.encoding = encoding
    return carried


def _bias_scale(module: Any, image: Any) -> Tensor:
    """Return input scale x weight scale in float64: one value, or one per output channel."""
    own = module.input_quantizers[0]
    scale = image.encoding.scale if own is None else own.get_scale()
    return scale.double() * module.param_quantizers["weight"].get_scale().double().flatten()
