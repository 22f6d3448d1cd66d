"""Runtimes: ONNX files as upscalers on this machine."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.evaluation import Upscaler
from sr.export.graph.field_bound import field_bound
from sr.export.graph.onnx_graph import PIXEL_GRID, Graph
from sr.export.graph.shape import fix_shape, has_free_shape

MAX_SESSIONS = 4
OpenSession = Callable[[Graph], onnxruntime.InferenceSession]
SafeWidth = Callable[[Graph, int], int]


class Runtime:
    """Function on tensors that runs an ONNX graph, with one session per image size where necessary.

    Args:
        graph: Graph with float NCHW or uint8 NHWC input.
        open_session: Function from a graph to a session.
        any_size: True if one session handles every size of a graph with a free size; else each size has its own
            session, and the last few are kept.
        safe_width: Function from a graph and a width to the width that images are padded to, see
            `sr.export.hexagon.width_bug`.
    """

    def __init__(
        self,
        graph: Graph,
        open_session: OpenSession,
        *,
        any_size: bool,
        safe_width: SafeWidth = lambda graph, width: width,
    ) -> None:
        self._graph, self._open, self._safe_width = graph, open_session, safe_width
        self._one_for_all = any_size and has_free_shape(graph)
        self._sessions: OrderedDict[tuple[int, int], onnxruntime.InferenceSession] = OrderedDict()

    def __call__(self, lr: Tensor) -> Tensor:
        """Run lr (1, C, h, w) in [0, 1] to sr (1, C, H, W), floats; where the graph gives bytes, these over 255."""
        wanted = lr.shape[-1]
        if missing := self._safe_width(self._graph, wanted) - wanted:
            sr = self(F.pad(lr, (0, missing, 0, 0), mode="replicate"))
            return sr[..., : sr.shape[-1] * wanted // (wanted + missing)]
        session = self.session(*lr.shape[-2:])
        entry = session.get_inputs()[0]
        if entry.type == "tensor(uint8)":
            # The same bits as from the removed quantizer: luma is not a whole number and may be a tie.
            pixels = (lr.float() / PIXEL_GRID.scale).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
            made = session.run(None, {entry.name: np.ascontiguousarray(pixels.numpy())})[0]
            return torch.from_numpy(made).permute(0, 3, 1, 2).float() / 255
        return torch.from_numpy(session.run(None, {entry.name: np.ascontiguousarray(lr.numpy(), np.float32)})[0])

    def session(self, height: int, width: int) -> onnxruntime.InferenceSession:
        """Return the session for an LR image size, opened at its first use."""
        size = (0, 0) if self._one_for_all else (height, width)
        if size not in self._sessions:
            graph = self._graph
            if not self._one_for_all:
                graph = Graph(graph.model)
                fix_shape(graph, height, width)
            self._sessions[size] = self._open(graph)
            if len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        self._sessions.move_to_end(size)
        return self._sessions[size]


def on_cpu(graph: Graph, *, optimized: bool) -> Runtime:
    """Return the runtime of a graph in ONNX Runtime on the CPU.

    Args:
        graph: The net.
        optimized: True enables graph optimizations (quantized convolutions in integers); False computes every node as
            it is written.
    """
    levels = onnxruntime.GraphOptimizationLevel

    def open_session(graph: Graph) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimized else levels.ORT_DISABLE_ALL
        # Without this, x86 processors that lack VNNI saturate in uint8 x int8 products.
        options.add_session_config_entry("session.x64quantprecision", "1")
        model = graph.model.SerializeToString()
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    return Runtime(graph, open_session, any_size=True)


def upscaler_of(graph: Graph, run: Callable[[Tensor], Tensor]) -> Upscaler:
    """Return the upscaler of a graph with this project's metadata.

    Args:
        graph: The net.
        run: Function lr (1, C, h, w) -> sr that runs it.

    Raises:
        ValueError: The graph was not written by this project.
    """
    facts = graph.metadata
    try:
        return Upscaler(
            run,
            color=facts["color"],
            scale=float(facts["scale"]),
            size_multiple=int(facts["size_multiple"]),
            field=lambda: field_bound(graph),
        )
    except KeyError as missing:
        raise ValueError(f"the ONNX file does not say its {missing}; export it with this project") from missing


def load_onnx(path: Path) -> Upscaler:
    """Load an exported ONNX file as an upscaler on ONNX Runtime, for images of any size.

    Raises:
        ValueError: The file does not exist, or was not written by this project.
    """
    if not path.is_file():
        raise ValueError(f"no ONNX file at {path}; export the run first")
    graph = Graph.load(path)
    return upscaler_of(graph, on_cpu(graph, optimized=True))


def torch_runtime(net: nn.Module) -> Callable[[Tensor], Tensor]:
    """Return a function that runs a net in PyTorch in evaluation mode and returns plain tensors."""

    def run(lr: Tensor) -> Tensor:
        with torch.no_grad():
            return net.eval()(lr).as_subclass(Tensor)

    return run
