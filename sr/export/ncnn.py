"""ncnn: the trained float net as .param and .bin files, for phones without a Hexagon, run by ncnn's own wheel."""

import importlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from sr.evaluation import Upscaler
from sr.export.certificate.proof import Bounded, Form
from sr.export.engine import Built, CpuEngine, Exported, fixed_size, from_pixels, to_pixels
from sr.export.graph.onnx_graph import Graph, attribute
from sr.export.graph.shape import fix_shape
from sr.export.kit_model import KitModel
from sr.export.release import Release
from sr.export.runtime import upscaler_of
from sr.runs.files import temporary_folder, write_atomically
from sr.runs.silence_logs import native_output_to

_INSTALL = "pip install 'sr-mobile[ncnn]'"
_NAME = "ncnn"
_FLOAT_FILE = "float.onnx"  # depth-to-space in DCR order
_TRACED = (64, 64)  # LR pixels of the graph that is converted; the files take any size
_SECONDS = 300.0
_PRECISIONS = ("fp16", "fp32")
# A net of 2800 operators took pnnx more than 8 GB of memory.
_MOST_NODES = 500
_CONVERTED = {
    "Add", "Clip", "Concat", "Constant", "Conv", "ConvTranspose", "DepthToSpace", "Identity", "LeakyRelu", "MaxPool",
    "Mul", "PRelu", "ReduceMean", "Relu", "Resize", "Sigmoid", "SpaceToDepth", "Sqrt", "Sub", "Tanh",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Ncnn(CpuEngine):
    """Write the float net as ncnn/net.param and ncnn/net.bin, whatever the scheme, and compare it with the float net.

    Args:
        precision: Numbers of the weights in the file: "fp16" or "fp32".

    Raises:
        ValueError: `precision` is "int8" or unknown.
    """

    precision: str

    def __post_init__(self) -> None:
        if self.precision not in _PRECISIONS:
            raise ValueError(
                f"export.engines.ncnn.precision is fp16 or fp32, got {self.precision!r}: ncnn's wheel lacks the "
                "programs that make int8 files (ncnn2table, ncnn2int8). Take fp16; export=litert gives 8 bits"
            )

    @property
    def packages(self) -> tuple[str, ...]:
        """Return the names of the packages that are needed."""
        return ("ncnn", "pnnx")

    def why_missing(self) -> str | None:
        """Return the reason why ncnn cannot run here, see `Engine.why_missing`."""
        try:
            importlib.import_module("ncnn")
            importlib.import_module("pnnx")
        except ImportError as error:
            return f"ncnn and pnnx, which run and write ncnn files, cannot be imported ({error}): {_INSTALL}"
        return None

    def check_graph(self, release: Release) -> None:
        """Refuse operators that ncnn does not have, see `Engine.check_graph`."""
        refuse_operators(Graph.load(release.fixed.parent / _FLOAT_FILE))

    def build(self, release: Release, work: Path, log: Path) -> Built:
        """Write ncnn/net.param and ncnn/net.bin and return their form, see `Engine.build`."""
        graph = Graph.load(work / _FLOAT_FILE)
        param = convert(graph, work / _NAME / "net.param", log, half=self.precision == "fp16")
        run = NcnnNet(param, self.num_threads, log)
        weights = param.with_suffix(".bin")
        report = {
            "size_kib": round((param.stat().st_size + weights.stat().st_size) / 1024, 1),
            "numbers": f"{self.precision} weights of the float net",
            "latency": self.timed(release, run.pixels),
        }
        form = Form(_NAME, f"ncnn {self.precision}, float net", run, f"{_NAME}/{param.name}")
        sizes = dict.fromkeys([release.proof_size, fixed_size(release)[:2]])
        models = [KitModel(_NAME, _NAME, size, [param, weights], {}) for size in sizes]
        return Built([Bounded(form, self.max_db, of_float=True)], report, models)

    def runtimes(self, folder: Path, log: Path) -> dict[str, Exported]:
        """Return the runtime, see `Engine.runtimes`."""
        param, facts = folder / _NAME / "net.param", folder / "pixels.onnx"

        def opened() -> Upscaler:
            return upscaler_of(Graph.load(facts), NcnnNet(param, self.num_threads, log))

        return {_NAME: Exported([param, param.with_suffix(".bin"), facts], opened)}


class NcnnNet:
    """ncnn's files as a function on tensors, for images of any size.

    Args:
        param: The .param file; the .bin file is beside it.
        num_threads: Threads of ncnn.
        log: File to which the output of native code is appended.

    Raises:
        ValueError: ncnn does not accept the files.
    """

    def __init__(self, param: Path, num_threads: int, log: Path) -> None:
        import ncnn

        self._matrix = ncnn.Mat
        self._net = ncnn.Net()
        self._net.opt.num_threads = num_threads
        with native_output_to(log):
            failed = self._net.load_param(str(param)) or self._net.load_model(str(param.with_suffix(".bin")))
        if failed:
            raise ValueError(f"ncnn does not take {param.name}; {log} has its message")

    def __call__(self, lr: Tensor) -> Tensor:
        """Run lr (1, C, h, w) in [0, 1] to sr (1, C, H, W)."""
        return from_pixels(self.pixels(to_pixels(lr)))

    def pixels(self, image: np.ndarray) -> np.ndarray:
        """Run uint8 (1, h, w, C) to uint8 (1, H, W, C)."""
        planes = np.ascontiguousarray(image[0].transpose(2, 0, 1), np.float32) / 255
        extractor = self._net.create_extractor()
        extractor.input("in0", self._matrix(planes).clone())  # a copy with the alignment that ncnn wants
        status, made = extractor.extract("out0")
        assert status == 0, "the net was loaded, so it runs"
        return np.rint(np.array(made) * 255).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)[None]


def refuse_operators(graph: Graph) -> None:
    """Raise ValueError if ncnn or pnnx lacks an operator of a float graph, or the graph is too large for pnnx."""
    if missing := sorted({node.op_type for node in graph.nodes} - _CONVERTED):
        raise ValueError(
            f"ncnn cannot take {', '.join(missing)} of this net: pnnx converts {', '.join(sorted(_CONVERTED))}. Leave "
            "the engine ncnn out"
        )
    if len(graph.nodes) > _MOST_NODES:
        raise ValueError(
            f"ncnn cannot take this net of {len(graph.nodes)} operators: pnnx needs gigabytes for more than "
            f"{_MOST_NODES}. Leave the engine ncnn out"
        )


def convert(graph: Graph, param: Path, log: Path, *, half: bool) -> Path:
    """Write a float graph as ncnn files with pnnx.

    Args:
        graph: float.onnx: NCHW in [0, 1], of free size.
        param: The .param file; the .bin file is written beside it.
        log: File to which the output of pnnx is appended.
        half: Whether the weights are stored in fp16.

    Returns:
        `param`.

    Raises:
        ValueError: An operator is missing, or pnnx fails.
    """
    from pnnx import EXEC_PATH

    refuse_operators(graph)
    fixed = Graph(graph.model)
    fix_shape(fixed, *_TRACED)
    with temporary_folder(param.parent) as place:
        fixed.save(place / "net.onnx")
        command = [EXEC_PATH, "net.onnx", "ncnnparam=net.param", "ncnnbin=net.bin", f"fp16={int(half)}", "device=cpu"]
        with native_output_to(log):
            subprocess.run(command, cwd=place, timeout=_SECONDS, check=False)
        if not (place / "net.bin").is_file() or not (place / "net.param").is_file():
            raise ValueError(f"pnnx does not convert this net to ncnn; {log} has its message")
        text = with_channel_order((place / "net.param").read_text(encoding="utf-8"), graph)
        content = (place / "net.bin").read_bytes()
    write_atomically(param.with_suffix(".bin"), lambda path: path.write_bytes(content))
    write_atomically(param, lambda path: path.write_text(text, encoding="utf-8"))
    return param


def with_channel_order(text: str, graph: Graph) -> str:
    """Return a .param text that moves pixels in ONNX's order of channels.

    pnnx leaves DepthToSpace as it is, which is ncnn's PixelShuffle, and takes SpaceToDepth for a PixelUnshuffle. In
    both layers mode 0 is PyTorch's order (CRD), and mode 1 is DCR.

    Args:
        text: The .param file as pnnx writes it, its layers in the order of the graph.
        graph: Graph that it was made from.
    """
    shuffles = iter(graph.of_type("DepthToSpace"))
    lines = []
    for line in text.splitlines():
        if line.startswith("DepthToSpace "):
            node = next(shuffles)
            mode = int(attribute(node, "mode", "DCR") == "DCR")
            blobs = line.removeprefix("DepthToSpace ").strip()
            line = f"PixelShuffle {blobs} 0={attribute(node, 'blocksize')} 1={mode}"
        elif line.startswith("Reorg "):
            line = line.removesuffix("1=0") + "1=1"
        lines.append(line)
    return "\n".join(lines) + "\n"
