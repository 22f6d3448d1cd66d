"""Measure the latency of a net on the CPU of this machine: median and percentiles of single forward passes."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Wall time of single forward passes in milliseconds: median, 10th and 90th percentile."""

    median_ms: float
    p10_ms: float
    p90_ms: float
    num_repeats: int
    num_threads: int

    def to_dict(self) -> dict[str, int | float]:
        """Return the attributes as a dictionary."""
        return asdict(self)


def call_latency(run: Callable[[], object], *, num_repeats: int, num_warmup: int, num_threads: int) -> Latency:
    """Measure the latency of a function call.

    Args:
        run: The function.
        num_repeats: Timed calls, at least 1.
        num_warmup: Calls before them that are not timed.
        num_threads: Threads that the call uses; recorded in the result, not set.

    Returns:
        The latency of a call.
    """
    for _ in range(num_warmup):
        run()
    seconds = []
    for _ in range(num_repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    p10, median, p90 = (float(value) for value in np.percentile(seconds, [10, 50, 90]) * 1e3)
    return Latency(median_ms=median, p10_ms=p10, p90_ms=p90, num_repeats=num_repeats, num_threads=num_threads)


def torch_latency(net: nn.Module, lr: Tensor, *, num_repeats: int = 20, num_warmup: int = 3) -> Latency:
    """Measure the latency of a net in eager PyTorch, with its present dtype and memory format.

    Args:
        net: The net, on the CPU.
        lr: Input of the net, (N, C, h, w) in [0, 1], on the CPU.
        num_repeats: Timed passes.
        num_warmup: Passes before them that are not timed.

    Returns:
        The latency of a forward pass.

    Raises:
        ValueError: If the tensor is not on the CPU; a call on a GPU returns before the work is done.
    """
    if lr.device.type != "cpu":
        raise ValueError(f"torch_latency times the CPU, got a tensor on {lr.device}; move the net and the tensor to it")
    was_training = net.training
    try:
        net.eval()
        with torch.inference_mode():
            return call_latency(
                lambda: net(lr),
                num_repeats=num_repeats,
                num_warmup=num_warmup,
                num_threads=torch.get_num_threads(),
            )
    finally:
        net.train(was_training)


def onnx_latency(
    path: Path, lr_height: int, lr_width: int, *, num_threads: int, num_repeats: int = 20, num_warmup: int = 3
) -> Latency:
    """Measure the latency of an ONNX file in ONNX Runtime on the CPU, with random pixels as input.

    Args:
        path: The file; its only input is float (N, C, h, w) or uint8 (N, h, w, C).
        lr_height: Rows of the input, if the file does not fix them.
        lr_width: Columns of the input, if the file does not fix them.
        num_threads: Threads for one operator.
        num_repeats: Timed passes.
        num_warmup: Passes before them that are not timed.

    Returns:
        The latency of a forward pass.

    Raises:
        ValueError: If there is no such file, or its input has another type or shape.
    """
    import onnxruntime

    if not path.is_file():
        raise ValueError(f"no ONNX file at {path}; export the run first")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    layouts = {"tensor(uint8)": (1, lr_height, lr_width, 3), "tensor(float)": (1, 3, lr_height, lr_width)}
    if entry.type not in layouts or len(entry.shape) != 4:
        raise ValueError(f"{path}: expected an image as float or uint8 input, got {entry.type} {entry.shape}")
    shape = [
        size if isinstance(size, int) else fill for size, fill in zip(entry.shape, layouts[entry.type], strict=True)
    ]
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    feed = {entry.name: noise if entry.type == "tensor(uint8)" else (noise / 255).astype(np.float32)}
    return call_latency(
        lambda: session.run(None, feed), num_repeats=num_repeats, num_warmup=num_warmup, num_threads=num_threads
    )
