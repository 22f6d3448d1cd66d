"""Find the place in a net of each tensor that a file of AIMET's encodings names."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from sr.models.zoo import zoo_layer
from sr.quantization.encodings_file import AimetEncodings, TensorGrid

INSIDE = ("", "body.")
"""Where the layers of the file lie in the net: `sr.api.foreign` wraps a net from elsewhere as `body`."""
_SHOWN = 4  # tensors in a message


@dataclass(kw_only=True)
class PlacedGrids:
    """Grids of a file by their places in a net.

    Attributes:
        path: The file.
        net: Class of the net, for messages.
        inside: What the names of the net's layers have in front of the file's.
        weights: Parameter -> grid.
        modules: (module, "input" or "output") -> grid; empty for a file of weights alone.
        image: Grid of the input, if the file names it by a tensor.
        result: Grid of the output, likewise.
    """

    path: Path
    net: str
    inside: str = ""
    weights: dict[str, TensorGrid] = field(default_factory=dict)
    modules: dict[tuple[str, str], TensorGrid] = field(default_factory=dict)
    image: TensorGrid | None = None
    result: TensorGrid | None = None

    @property
    def activations(self) -> list[TensorGrid]:
        """Return the grids of all activations."""
        return [*self.modules.values(), *(grid for grid in (self.image, self.result) if grid is not None)]

    def refuse(self, what: str, names: Iterable[str]) -> None:
        """Raise ValueError in one line if there are any names."""
        if found := sorted(set(names)):
            more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            raise ValueError(
                f"{self.path} {what} {', '.join(found[:_SHOWN])}{more}; give the file that AIMET wrote for this "
                f"{self.net}"
            )


def places_of(encodings: AimetEncodings, net: nn.Module) -> PlacedGrids:
    """Find the places of all tensors of a file.

    Args:
        encodings: Content of the file.
        net: Net in its inference form.

    Raises:
        ValueError: The file names a tensor that the net does not have.
    """
    parameters, modules = dict(net.named_parameters()), dict(net.named_modules())
    found = PlacedGrids(path=encodings.path, net=type(net).__name__)
    prefix = next((each for each in INSIDE if any(each + name in parameters for name in encodings.grids)), None)
    if prefix is None:
        found.refuse("names no weight of the net, but", encodings.grids)
        prefix = ""
    found.inside = prefix
    unknown, others = [], []
    for name, grid in encodings.grids.items():
        if f"{prefix}{name}" in parameters:
            found.weights[f"{prefix}{name}"] = grid
        elif ":" in name or name.startswith("/"):
            module, side = _place(name, modules, prefix)
            if module in modules:
                found.modules[module, side] = grid
            elif not _is_constant(name):
                unknown.append(name)
        elif not _is_constant(name):
            others.append((name, grid))
    # Only input and output of the graph have names without a scope; the input comes first.
    ends = dict(others[:2])
    found.result = ends.pop("output", None)
    found.image = ends.pop(next(iter(ends), ""), None)
    found.result = next(iter(ends.values()), found.result)
    found.refuse("has ranges of tensors that are not there:", [*unknown, *(name for name, _ in others[2:])])
    return found


def _place(name: str, modules: Container[str], prefix: str) -> tuple[str, str]:
    """Return module and side of a tensor; an unknown module for a tensor that is no output of a module."""
    if _is_constant(name):
        return "(constant)", ""
    module, side = (name.split(":")[0], name.split(":")[1]) if ":" in name else (module_path(name), "output")
    known = prefix + module
    return known if known in modules else prefix + zoo_layer(module), side


def module_path(tensor: str) -> str:
    """Return the module of an ONNX tensor that PyTorch's exporter named.

    >>> module_path("/cnn/cnn.1/Clip_output_0"), module_path("/body/body.0/conv1/Conv_output_0")
    ('cnn.1', 'body.0.conv1')
    """
    path: list[str] = []
    for scope in tensor.strip("/").split("/")[:-1]:
        if path and scope.startswith(f"{path[-1]}."):  # the exporter repeats the name of a container
            path.pop()
        path.append(scope)
    return ".".join(path)


def _is_constant(name: str) -> bool:
    return name.rpartition("/")[2].startswith("Constant") or name.startswith("onnx::")
