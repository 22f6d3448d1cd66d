"""Command line of `sr export`: quantize any net, and write its files with a certificate."""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from torch import nn

from sr.api.functions import SCHEME, export, quantize
from sr.building import compose
from sr.config.composition import plain
from sr.config.hints import group_options
from sr.config.sizes import lr_sides
from sr.config.targets import build_net
from sr.models.state_dicts import without_prefixes
from sr.models.weights import load_weights, read_weights
from sr.pretrained.catalogue import PREFIX
from sr.pretrained.trained import trained
from sr.runs.arguments import CommandParser, finite_number, path
from sr.runs.failures import in_one_line, one_line_errors
from sr.runs.folders import expand_home, outputs_root

_SHOWN = 4  # names of weights in a message


def parser() -> CommandParser:
    """Return the argument parser."""
    made = CommandParser(
        prog="python -m sr.export",
        description="Quantize a net, write its files for a target, and compare every file with the net.",
    )
    made.add_argument("net", help="my_net.py:MyNet, a pretrained name, or a run folder")
    made.add_argument(
        "--weights", type=path, help="of a net of your own, or of a preset of conf/model (net is its name)"
    )
    made.add_argument("--encodings", type=path, help="ranges that AIMET wrote (JSON): nothing is learned then")
    made.add_argument("--arguments", nargs="+", default=[], metavar="NAME=VALUE", help="of MyNet's constructor")
    made.add_argument("--scale", type=finite_number(above=0), help="default: found by a test pass; 2 if pretrained")
    made.add_argument("--calibration", type=path, help="folder of photographs; default: those inside scikit-image")
    made.add_argument("--scheme", choices=group_options("quantization"), help=f"default: {SCHEME}")
    targets = [name for name in group_options("export") if name != "none"]
    made.add_argument("--target", default="hexagon", choices=targets, help="default: hexagon")
    made.add_argument("--size", default="1080p", help="of the output, or LR height x width; default: 1080p")
    made.add_argument("--to", type=path, help="folder; default: outputs/export/<net>")
    return made


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Export a net; returns the exit status."""
    options = parser().parse_args(arguments)
    lr_sides(options.size)  # refused now, not after the calibration
    net = named_net(options.net, options.weights, options.arguments, options.scale)
    name = type(net).__name__ if ".py:" in options.net else Path(options.net).name
    folder = expand_home("--to", options.to) if options.to else outputs_root() / "export" / name
    ranges = {"scheme": options.scheme, "encodings": options.encodings}
    quantized = quantize(net, options.calibration, scale=options.scale, **ranges)
    certificate = export(quantized, folder, target=options.target, size=options.size)
    print(f"{folder}: {len(certificate['files'])} files and certificate.json")
    return 0


def named_net(source: str, weights: Path | None, arguments: Sequence[str], scale: float | None) -> nn.Module:
    """Return the net of a command line, with its weights.

    Args:
        source: `<file>.py:<name>`, a pretrained name, a run folder; with weights also a preset of conf/model.
        weights: For a class of a file, or a preset.
        arguments: NAME=VALUE for the constructor of a class, as YAML.
        scale: Of a pretrained net or a preset.

    Raises:
        ValueError: There is no such net, or the weights do not fit.
    """
    if ".py:" not in source:
        if arguments:
            raise ValueError(f"--arguments are for a net of your own, my_net.py:MyNet; {source} has its own")
        if weights:
            return _preset(source, weights, scale or 2)
        found = source if Path(source).exists() else PREFIX + source.removeprefix(PREFIX)
        return trained(found, scale=scale or 2)
    file, _, name = source.rpartition(":")
    made = _named(Path(file), name)
    if not isinstance(made, nn.Module):
        made = _called(made, name, arguments, weights)
    if weights:
        load_own(made, weights)
    return made


def _preset(name: str, weights: Path, scale: float) -> nn.Module:
    """Return a net of conf/model with weights from elsewhere, such as the AIMET model zoo."""
    if name not in (presets := group_options("model")):
        raise ValueError(f"--weights need my_net.py:MyNet or a preset of conf/model, not {name}: {', '.join(presets)}")
    net = build_net(plain(compose([f"model={name}", f"scale={scale:g}"]).model), source=f"conf/model/{name}.yaml")
    load_weights(net, read_weights(weights), source=str(weights))
    return net


def _named(file: Path, name: str) -> Any:
    """Return what a Python file defines under a name. The file is run."""
    if not file.is_file():
        raise ValueError(f"there is no file {file}; give my_net.py:MyNet")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem], sys.path[:0] = module, [str(file.parent.resolve())]
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the code of the user raises
        raise ValueError(f"{file} cannot be run: {in_one_line(error)}") from error
    if not name or not hasattr(module, name):
        nets = [key for key, value in vars(module).items() if isinstance(value, type) and issubclass(value, nn.Module)]
        raise ValueError(f"{file} defines no {name or '<name>'}; its nets are {', '.join(nets) or 'none'}")
    return getattr(module, name)


def _called(make: Any, name: str, arguments: Sequence[str], weights: Path | None) -> nn.Module:
    if isinstance(make, type) and weights is None:
        raise ValueError(f"{name} has random weights; give --weights <its .safetensors or checkpoint>")
    settings = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals:
            raise ValueError(f"--arguments takes NAME=VALUE, got {argument!r}")
        settings[key] = yaml.safe_load(value)
    try:
        made = make(**settings)
    except TypeError as error:
        raise ValueError(f"{name} cannot be made: {error}; give --arguments NAME=VALUE") from error
    if not isinstance(made, nn.Module):
        raise ValueError(f"{name} gives a {type(made).__name__}; a torch.nn.Module is needed")
    return made


def load_own(net: nn.Module, path: Path) -> None:
    """Load the weights of a net from elsewhere; every name and shape must fit.

    Raises:
        ValueError: A name is missing or unknown, or a shape differs.
    """
    own = net.state_dict()
    state = without_prefixes(read_weights(path), own)
    wrong = [f"no {name}" for name in own.keys() - state.keys()]
    wrong += [f"{name} is not the net's" for name in state.keys() - own.keys()]
    wrong += [
        f"{name} is {tuple(state[name].shape)}, not {tuple(own[name].shape)}"
        for name in own.keys() & state.keys()
        if state[name].shape != own[name].shape
    ]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise ValueError(f"{path} does not fit {type(net).__name__}: {', '.join(sorted(wrong)[:_SHOWN])}{more}")
    net.load_state_dict(state)
