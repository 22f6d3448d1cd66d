"""Open a net for upscaling: a pretrained one, a run's, or a file, in fp32 or INT8, on one of four runtimes."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sr.evaluation import Upscaler, upscaler
from sr.export.graph.onnx_graph import Graph
from sr.export.graph.shape import free_shape, has_free_shape
from sr.export.graph.uint8_pixels import uint8_nhwc_io
from sr.export.release import write_float
from sr.export.runtime import upscaler_of
from sr.models.net import Net
from sr.pretrained.catalogue import PREFIX, find
from sr.pretrained.trained import trained
from sr.upscale.runners import Pixels, is_installed, open_runner, open_tflite

RUNTIMES = ("auto", "torch", "onnxruntime", "openvino", "litert")
NET_PRECISIONS = ("fp32", "int8")
PIXEL_FILES = "*_qdq_pixels_*.onnx"  # of a pretrained net
RUN_FILE = "export/pixels.onnx"
CHECKPOINT_ENDINGS = (".safetensors", ".pth", ".pt", ".ckpt")
_TRACED_SIDE_PX = 64


@dataclass(frozen=True, kw_only=True)
class OpenedNet:
    """A net on a runtime.

    Args:
        upscaler: RGB in, RGB out.
        title: line for the user, such as "quicksrnet_small x2, int8 on openvino".
        takes_16_bits: whether uint16 images go through without a loss.
        files: keeps temporary files of the runtime alive.
    """

    upscaler: Upscaler
    title: str
    takes_16_bits: bool
    files: Any = None

    @property
    def scale(self) -> float:
        """Return the upscaling factor."""
        return self.upscaler.scale

    def strips(self, lr: np.ndarray) -> Iterator[np.ndarray]:
        """Upscale (h, w, 3), and yield strips of whole rows from top to bottom; memory is bounded by a tile."""
        return self.upscaler.strips(lr)

    def __call__(self, lr: np.ndarray) -> np.ndarray:
        """Upscale (h, w, 3) to (ceil(s*h), ceil(s*w), 3)."""
        return self.upscaler(lr)


class PixelUpscaler(Upscaler):
    """Upscaler of an RGB graph with uint8 pixels, which skips the way over floats; the bytes are the same.

    Args:
        pixels: uint8 (1, h, w, 3) -> uint8 (1, H, W, 3).
        same: upscaler of the same graph.
        run: the same function on tensors.
    """

    def __init__(self, pixels: Pixels, same: Upscaler, run: Any) -> None:
        super().__init__(
            run, color=same.color, scale=same.scale, size_multiple=same.size_multiple, field=lambda: same.field
        )
        self._pixels = pixels

    def _whole(self, lr: np.ndarray) -> np.ndarray:
        fits = lr.dtype == np.uint8 and not any(side % self.size_multiple for side in lr.shape[:2])
        return self._pixels(np.ascontiguousarray(lr)[None])[0] if fits else super()._whole(lr)


def open_net(
    source: str,
    *,
    scale: float | None = None,
    runtime: str = "auto",
    precision: str | None = None,
    device: str = "auto",
    num_threads: int | None = None,
) -> OpenedNet:
    """Open a net for upscaling.

    Args:
        source: name of a pretrained net, run folder, .safetensors file of a run, .onnx or .tflite file of this project,
            or a checkpoint of another project that spandrel knows.
        scale: upscaling factor; None: 2 for a pretrained net, else the net's own.
        runtime: one of `RUNTIMES`; "auto" is torch for fp32, OpenVINO or else ONNX Runtime for int8.
        precision: "fp32" or "int8"; None: fp32, or what the file holds.
        device: of torch, such as "cuda"; "auto" takes a GPU where there is one.
        num_threads: of the runtime; None: all cores.

    Raises:
        ValueError: no such net, a scale or precision that it lacks, a runtime that is not installed or does not fit.
    """
    threads = num_threads or os.cpu_count() or 1
    if source.endswith(".tflite"):
        opened = _of_tflite(Path(source), runtime, precision, threads)
    elif source.endswith(".onnx"):
        opened = _of_graph(_graph_of(Path(source), precision), source, runtime, threads)
    else:
        opened = _of_trained(source, scale, runtime, precision, device, threads)
    if scale is not None and abs(opened.scale - scale) > 1e-9:
        raise ValueError(
            f"{source} is for x{opened.scale:g}, not for x{scale:g}; leave --scale out, or give another net"
        )
    if device not in ("auto", "cpu") and not opened.takes_16_bits:
        raise ValueError(f"--device {device} is for the torch runtime; {opened.title} runs on the CPU: leave it out")
    return opened


def _of_trained(
    source: str, scale: float | None, runtime: str, precision: str | None, device: str, threads: int
) -> OpenedNet:
    is_file = Path(source).exists() or "/" in source or source.endswith(CHECKPOINT_ENDINGS)
    net = trained(source if is_file else PREFIX + source.removeprefix(PREFIX), scale=scale or 2)
    name = f"{source} x{net.scale:g}"
    if precision == "int8":
        if runtime == "torch":
            raise ValueError("torch runs the float net; INT8 runs with --runtime onnxruntime, openvino or litert")
        graph = _graph_of(_int8_file(source, net), "int8")
        return _of_graph(graph, name, runtime, threads)
    if runtime not in ("auto", "torch"):
        return _of_graph(_float_graph(net), name, runtime, threads)
    place = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        on_device = net.to(place)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"--device {device} cannot be used: {str(error).splitlines()[0]}; give --device cpu"
        ) from error
    return OpenedNet(upscaler=upscaler(on_device), title=f"{name}, fp32 on torch", takes_16_bits=True)


def _int8_file(source: str, net: Net) -> Path:
    """Return the exported INT8 file with uint8 pixels beside a net."""
    path = Path(source)
    if path.is_dir() or path.suffix == ".safetensors":
        run = path if path.is_dir() else path.parent.parent
        if not (run / RUN_FILE).is_file():
            raise ValueError(f"{run} has no {RUN_FILE}: the run was not quantized and exported; use --precision fp32")
        return run / RUN_FILE
    files = sorted(find(source.removeprefix(PREFIX), net.scale).glob(PIXEL_FILES))
    if not files:
        raise ValueError(f"the pretrained {source} x{net.scale:g} has no INT8 file; use --precision fp32")
    return files[0]


def _graph_of(path: Path, precision: str | None) -> Graph:
    """Read an exported file as a graph with uint8 pixels, for images of any size."""
    if not path.is_file():
        raise ValueError(f"no ONNX file at {path}; give one that this project exported")
    try:
        graph = Graph.load(path)
    except Exception as error:  # the parser of onnx raises errors of protobuf
        raise ValueError(
            f"{path} is no ONNX file that can be read ({type(error).__name__}); export it again"
        ) from error
    if missing := {"scale", "color", "size_multiple", "scheme"} - graph.metadata.keys():
        raise ValueError(f"{path} was not exported by this project: it does not say its {', '.join(sorted(missing))}")
    held = _held(graph)
    if precision not in (None, held):
        raise ValueError(f"{path} holds an {held} net; leave --precision out, or give another file")
    return _with_pixels(graph)


def _held(graph: Graph) -> str:
    return "fp32" if graph.metadata["scheme"] == "fp32" else "int8"


def _float_graph(net: Net) -> Graph:
    side = -(-_TRACED_SIDE_PX // net.size_multiple) * net.size_multiple
    with tempfile.TemporaryDirectory() as folder:
        write_float(net, Path(folder) / "float.onnx", (side, side))
        return _with_pixels(Graph.load(Path(folder) / "float.onnx"))


def _with_pixels(graph: Graph) -> Graph:
    if graph.model.graph.input[0].type.tensor_type.elem_type != 2:  # uint8
        uint8_nhwc_io(graph)
    if not has_free_shape(graph):
        free_shape(graph)
    return graph


def _of_graph(graph: Graph, name: str, runtime: str, threads: int) -> OpenedNet:
    if runtime == "torch":
        raise ValueError(f"{name} is an exported file; run it with --runtime onnxruntime, openvino or litert")
    chosen = runtime if runtime != "auto" else ("openvino" if is_installed("openvino") else "onnxruntime")
    runner = open_runner(graph, chosen, threads)
    made = upscaler_of(graph, runner.run)
    return OpenedNet(
        upscaler=PixelUpscaler(runner.pixels, made, runner.run) if made.color == "rgb" else made,
        title=f"{name}, {_held(graph)} on {chosen}",
        takes_16_bits=False,
        files=runner.files,
    )


def _of_tflite(path: Path, runtime: str, precision: str | None, threads: int) -> OpenedNet:
    if runtime not in ("auto", "litert"):
        raise ValueError(f"{path} runs on litert, not on {runtime}; leave --runtime out")
    runner, facts = open_tflite(path, threads)
    held = "fp32" if facts["scheme"] == "fp32" else "int8"
    if precision not in (None, held):
        raise ValueError(f"{path} holds an {held} net; leave --precision out, or give another file")
    how: dict[str, Any] = {"color": facts["color"], "scale": float(facts["scale"])}
    made = Upscaler(runner.run, size_multiple=int(facts["size_multiple"]), **how)
    return OpenedNet(
        upscaler=PixelUpscaler(runner.pixels, made, runner.run) if made.color == "rgb" else made,
        title=f"{path} x{made.scale:g}, {held} on litert",
        takes_16_bits=False,
    )
