"""Make the simulation that a file of AIMET's encodings describes: float weights and ranges, nothing is learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from sr.functional.hooks import forward_hooks
from sr.models.net import Net
from sr.quantization.batch_norms import without_batch_norms
from sr.quantization.encoded_places import PlacedGrids
from sr.quantization.encodings_file import TensorGrid
from sr.quantization.integer import MOVERS, IntegerSimulation, pin, weight_quantizers
from sr.quantization.scheme import Scheme

_NUDGES = 8  # roundings of a range until its scale is that of the file


def encoded_widths(grids: PlacedGrids) -> tuple[int, int | None, bool]:
    """Return bits of the weights, bits of the activations (None: the file has none), and whether channels have scales.

    Raises:
        ValueError: Weights or activations have several widths.
    """
    widths: list[int | None] = []
    for what, kind in (("weights", grids.weights.values()), ("activations", grids.activations)):
        bits = sorted({grid.bits for grid in kind})
        if len(bits) > 1:
            listed = " and ".join(map(str, bits))
            raise ValueError(f"{grids.path} has {what} of {listed} bits; one width can be simulated")
        widths.append(bits[0] if bits else None)
    assert widths[0] is not None, "a file without weights"
    return widths[0], widths[1], any(len(grid.scale) > 1 for grid in grids.weights.values())


def encoded(net: Net, scheme: Scheme, grids: PlacedGrids, calibration: Sequence[Tensor]) -> IntegerSimulation:
    """Return the simulation of a file of encodings; its biases are on their grid.

    Where the file quantizes the output of a layer that the rules of this package fuse with the next one, a quantizer
    is added, so that the values are AIMET's.

    Args:
        net: Net in its inference form, with the weights that belong to the file.
        scheme: Scheme with the widths of the file (`encoded_widths`).
        grids: Content of the file.
        calibration: Inputs of the net (N, C, h, w) in [0, 1], which set the activations for a file of weights alone.

    Raises:
        ValueError: The file lacks a tensor of the net, or has a range that cannot be simulated.
    """
    simulation = IntegerSimulation(without_batch_norms(net), scheme)
    weights = {f"{name}.weight": each for name, each in weight_quantizers(simulation.aimet).items()}
    grids.refuse("has no range for", weights.keys() - grids.weights.keys())
    grids.refuse("has ranges for what stays float here:", grids.weights.keys() - weights.keys())
    for name, quantizer in weights.items():
        _set(quantizer, grids.weights[name], f"{grids.path}: {name}")
    if grids.activations:
        _set_activations(simulation, grids)
    else:
        simulation.calibrate(calibration)
    simulation.check_ranges()
    simulation.snap_biases()  # weights stay as they are, so that a restored net is AIMET's
    return simulation


def _set_activations(simulation: IntegerSimulation, grids: PlacedGrids) -> None:
    flow, left = _Flow(simulation), dict(grids.modules)
    if grids.result is not None:
        left.setdefault((flow.last, "output"), grids.result)
    found: dict[Any, list[str]] = {}  # quantizer -> its places; layers in front of a concatenation share one
    done = set()
    for name, module in simulation.aimet.named_qmodules():
        for side in ("input", "output"):
            for quantizer in filter(None, getattr(module, f"{side}_quantizers")):
                found.setdefault(quantizer, []).append(name)
                default = grids.image if side == "input" and name in flow.readers else None
                if (grid := left.pop((name, side), default)) is not None:
                    _set(quantizer, grid, f"{grids.path}: {name}")
                    done.add(quantizer)
    missing = [places[0] for quantizer, places in found.items() if quantizer not in done]
    grids.refuse("has no range for", [name for name in missing if name.startswith(grids.inside)])  # not our own clip
    grids.refuse("has ranges for inputs that are not quantized here:", [name for name, side in left if side == "input"])
    for (name, _), grid in left.items():
        if grid not in map(_grid, flow.quantizers[name]):
            _set(_added_quantizer(simulation, name), grid, f"{grids.path}: {name}")


def _added_quantizer(simulation: IntegerSimulation, layer: str) -> Any:
    """Give the output of a layer a quantizer, and return it."""
    from aimet_torch.quantization.affine import QuantizeDequantize

    module: Any = simulation.net.get_submodule(layer)
    module.output_quantizers[0] = QuantizeDequantize((), simulation.scheme.activation_bits, symmetric=False)
    return module.output_quantizers[0]


class _Flow:
    """Path of the values through a simulation.

    Attributes:
        readers: Modules that read the image.
        last: Module that makes the output.
        quantizers: Module without an output quantizer -> the quantizers before it, if it only moves values, and behind.
    """

    def __init__(self, simulation: IntegerSimulation) -> None:
        passes: list[tuple[str, Any, tuple[Any, ...], Any]] = []
        names = {module: name for name, module in simulation.aimet.named_qmodules()}
        image = simulation.example()

        def note(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            passes.append((names[module], module, inputs, output))

        with torch.no_grad(), forward_hooks((module, note) for module in names):
            simulation.net(image)
        self.last = passes[-1][0]
        self.readers = {name for name, _, inputs, _ in passes if any(value is image for value in inputs)}
        self.quantizers: dict[str, list[Any]] = {}
        for name, module, _, output in reversed(passes):
            own = [each for each in module.output_quantizers if each is not None]
            after = [
                self.quantizers[other] for other, _, inputs, _ in passes if any(value is output for value in inputs)
            ]
            self.quantizers[name] = own or [each for found in after for each in found]
        for name, module, inputs, _ in passes:
            if isinstance(module, MOVERS) and not any(cast(Any, module).output_quantizers):
                self.quantizers[name] += [
                    each for other, _, _, output in passes if output is inputs[0] for each in self.quantizers[other]
                ]


def _grid(quantizer: Any) -> TensorGrid:
    """Return the grid that a quantizer has now."""
    scale, offset = (value.detach().flatten() for value in (quantizer.get_scale(), quantizer.get_offset()))
    lowest = tuple(int(value) + quantizer.qmin for value in offset)
    return TensorGrid(bits=quantizer.bitwidth, scale=tuple(scale.tolist()), lowest=lowest)


def _set(quantizer: Any, grid: TensorGrid, what: str) -> None:
    """Fix a quantizer to a grid.

    Raises:
        ValueError: It has another number of channels or of bits, or its kind of quantizer lacks this grid.
    """
    shape = quantizer.min.shape
    if len(grid.scale) != shape.numel():
        raise ValueError(
            f"{what} has {len(grid.scale)} scales, and {shape.numel()} are needed: give the file of this net"
        )
    assert grid.bits == quantizer.bitwidth, f"{what}: the scheme has other widths than the file"
    if quantizer.symmetric and set(grid.lowest) != {quantizer.qmin}:
        raise ValueError(
            f"{what} begins at {grid.lowest[0]}: weights are symmetric here, from {quantizer.qmin} to "
            f"{quantizer.qmax}; quantize with AIMET's rules for the HTP"
        )
    scale = torch.tensor(grid.scale, dtype=torch.float64).reshape(shape)
    low = (scale * torch.tensor(grid.lowest).reshape(shape)).float()
    high = (low.double() + scale * (quantizer.qmax - quantizer.qmin)).float()
    quantizer.allow_overwrite(True)
    for _ in range(_NUDGES):  # AIMET keeps both ends, of which the scale follows with its own rounding
        pin(quantizer, low, high)
        now = quantizer.get_scale().detach().reshape(shape)
        if torch.equal(now, scale.float()):
            break
        up, down = (torch.nextafter(high, torch.tensor(sign * torch.inf)) for sign in (1, -1))
        high = torch.where(now < scale.float(), up, torch.where(now > scale.float(), down, high))
