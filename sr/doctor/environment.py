"""Check package versions, and test AIMET, the HTP compiler and emulator, and the loggers on small inputs."""

import importlib
import importlib.util
import os
import platform
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from packaging.requirements import Requirement

from sr.doctor.finding import Finding, examine

if TYPE_CHECKING:
    import onnx

TESTED_PACKAGES = (
    "torch",
    "torchvision",
    "lightning",
    "torchmetrics",
    "numpy",
    "pillow",
    "scikit-image",
    "hydra-core",
    "onnx",
    "onnxruntime",
    "aimet-torch",
    "onnxruntime-qnn",
    "wandb",
)
_OPTIONAL_PACKAGES = ("onnxruntime-qnn",)  # wheels for Linux x86-64 and Windows only
LOGGER_MODULES = {  # choice of `logger` -> module that it needs
    "csv": "lightning.pytorch.loggers.csv_logs",
    "tensorboard": "torch.utils.tensorboard",
    "wandb": "wandb",
}
_ARCHS = (69, 73)  # HTP versions with different arithmetic: v68 and v69; v73 and later
_CHIP = "SM8450"


def check_environment(constraints: Path) -> Iterator[Finding]:
    """Check this machine and its packages.

    Args:
        constraints: The project's file of tested versions.

    Yields:
        The findings.
    """
    yield Finding("Python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield from check_versions(pinned_versions(constraints))
    yield from examine("torch", check_torch)
    yield from examine("AIMET", check_aimet)
    yield from examine("HTP", check_htp)
    yield from examine("cache", check_cache)
    for choice, module in LOGGER_MODULES.items():
        yield from examine(f"logger={choice}", partial(check_logger, choice, module))


def pinned_versions(constraints: Path) -> dict[str, str]:
    """Return package -> version of a constraints file; empty if there is no such file.

    Args:
        constraints: The file.
    """
    if not constraints.is_file():
        return {}
    lines = constraints.read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return {
        pin.name: next(iter(pin.specifier)).version
        for pin in pins
        if pin.specifier and (pin.marker is None or pin.marker.evaluate())
    }


def check_versions(
    pinned: dict[str, str], packages: Sequence[str] = TESTED_PACKAGES, optional: Sequence[str] = _OPTIONAL_PACKAGES
) -> Iterator[Finding]:
    """Compare the installed version of each package with the tested one.

    Args:
        pinned: Package -> tested version.
        packages: Packages to check.
        optional: Packages that may be missing.

    Yields:
        One finding for each package.
    """
    for name in packages:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            advice = f"pip install {name}" + (f"=={pinned[name]}" if name in pinned else "")
            yield Finding(name, "note" if name in optional else "broken", f"not installed: {advice}")
            continue
        if name in pinned and version.split("+")[0] != pinned[name]:
            yield Finding(name, "note", f"{version}; the project was tested with {pinned[name]}")
        else:
            yield Finding(name, "ok", version)


def check_torch() -> Iterator[Finding]:
    """Yield the devices that torch finds."""
    import torch

    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    yield Finding("devices", "ok", ", ".join([f"CPU (threads: {torch.get_num_threads()})", *names]))


def check_aimet() -> Iterator[Finding]:
    """Simulate two convolutions in 8 bits with AIMET; the output must be close to the float output, but not equal."""
    import torch

    from sr.models.quicksrnet import QuickSRNet
    from sr.quantization.ptq import calibrate
    from sr.quantization.scheme import Scheme

    torch.manual_seed(0)
    net = QuickSRNet(
        f=3,
        m=0,
        scale=2,
        activation="relu1",
        init="random",
        identity_x1_5="fixed",
        residual="none",
        upscaling="space_to_depth",
        overparameterize="none",
    ).eval()
    lr = torch.rand(1, 3, 24, 24)
    scheme = Scheme(
        name="doctor",
        numbers="integer",
        weight_bits=8,
        activation_bits=8,
        per_channel=True,
        calibration="min_max",
        percentile=100,
        calibration_batches=1,
        calibration_batch_size=1,
        stages={},
        chain=(),
    )
    with torch.no_grad():
        difference = (calibrate(net=net, scheme=scheme, calibration=[lr]).net(lr) - net(lr)).abs().max().item()
    state = "ok" if 0 < difference < 0.02 else "broken"  # one step of 8 bits is 0.004, and two roundings add up
    yield Finding(
        "AIMET", state, f"simulates W8A8, maximum difference from float {difference:.4f} (0 to 0.02 expected)"
    )


def check_htp() -> Iterator[Finding]:
    """Emulate a quantized 1x1 convolution on both HTP versions without CPU fallback, and compile it for a chip."""
    import onnx

    from sr.export.hexagon import qnn_session
    from sr.export.hexagon.chips import CHIPS, emulated
    from sr.export.hexagon.htp import compile_context
    from sr.runs.silence_logs import native_output_to

    missing = qnn_session.why_hexagon_is_missing()
    if missing:
        installed = importlib.util.find_spec("onnxruntime_qnn")  # there is no wheel for this system, which is no fault
        yield Finding("HTP", "broken" if installed else "note", missing)
        return
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 16, 16))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, log = folder / "net.onnx", folder / "compiler.log"
        onnx.save(quantized_convolution(), path)
        for arch in _ARCHS:
            session = qnn_session.open_session(str(path), qnn_session.backend(emulated(arch)), {}, log)
            with native_output_to(log):
                made = session.run(None, {"x": (pixels / 255).astype(np.float32)})[0]
            lsb = int(np.abs(np.round(made * 255) - pixels).max())
            state = "ok" if lsb <= 1 else "broken"
            yield Finding(f"HTP emulator v{arch}", state, f"all nodes on the HTP, maximum error {lsb} LSB (1 allowed)")
        size = compile_context(path, CHIPS[_CHIP], folder, log)["size_kib"]
        yield Finding("HTP compiler", "ok", f"compiles for {_CHIP}, {CHIPS[_CHIP].product} ({size} KiB)")


def quantized_convolution() -> "onnx.ModelProto":
    """Return an ONNX model of a quantized (QDQ) convolution that computes the identity.

    Input and output are float NCHW (1, 3, 16, 16) in [0, 1], with scale 1/255 for all activations.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    constants = {
        "s": np.float32(1 / 255),
        "z": np.uint8(0),
        "ws": np.float32(1 / 127),
        "wz": np.int8(0),
        "w": (127 * np.eye(3, dtype=np.int8)).reshape(3, 3, 1, 1),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "s", "z"], ["xf"]),
        helper.make_node("DequantizeLinear", ["w", "ws", "wz"], ["wf"]),
        helper.make_node("Conv", ["xf", "wf"], ["yf"]),
        helper.make_node("QuantizeLinear", ["yf", "s", "z"], ["yq"]),
        helper.make_node("DequantizeLinear", ["yq", "s", "z"], ["y"]),
    ]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 16, 16]) for name in "xy")
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "identity", [x], [y], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def check_cache() -> Iterator[Finding]:
    """Yield the size of the cache of decoded images."""
    from sr.data.cache_cleanup import in_words, stored

    folder = Path(os.environ.get("SR_CACHE", "~/.cache/sr")).expanduser()
    yield Finding("cache", "ok", f"{in_words(stored(folder))} in {folder}")


def check_logger(choice: str, module: str) -> Iterator[Finding]:
    """Check that the module of a logger can be imported.

    Args:
        choice: Value of `logger`.
        module: The module that it needs.

    Yields:
        One finding.
    """
    importlib.import_module(module)
    yield Finding(f"logger={choice}", "ok", "can be imported")
