"""Wall time of a net on this machine's CPU: median and spread of single passes."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Wall times of single passes in milliseconds (the median, and the range of the middle eight in ten)."""

    median_ms: float
    p10_ms: float
    p90_ms: float
    num_repeats: int
    num_threads: int

    def to_dict(self) -> dict[str, int | float]:
        """Plain numbers under the attributes' names."""
        return asdict(self)


def timed(run: Callable[[], object], *, num_repeats: int, num_warmup: int, num_threads: int) -> Latency:
    """Time a call again and again.

    Args:
        run: The call.
        num_repeats: Timed passes, at least 1.
        num_warmup: Passes before them that are not timed.
        num_threads: Threads that the call uses; written down, not set.
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
    """Time a net in eager PyTorch as it stands: dtype and memory format are the caller's choice.

    Args:
        net: The net, on the CPU.
        lr: (N, C, h, w), what it is fed.
        num_repeats: Timed passes.
        num_warmup: Passes before them that are not timed.

    Raises:
        ValueError: for a tensor that is not on the CPU: there a pass returns before it is done.
    """
    if lr.device.type != "cpu":
        raise ValueError(f"torch_latency times the CPU, got a tensor on {lr.device}; move the net and the tensor to it")
    was_training = net.training
    try:
        net.eval()
        with torch.inference_mode():
            return timed(
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
    """Time an ONNX file in ONNX Runtime on the CPU, fed with noise of the type and layout that it asks for.

    Args:
        path: The file; its one input is float (N, C, h, w) or uint8 (N, h, w, C).
        lr_height: Rows, where the file leaves them open.
        lr_width: Columns, where the file leaves them open.
        num_threads: Threads of one operator.
        num_repeats: Timed passes.
        num_warmup: Passes before them that are not timed.

    Raises:
        ValueError: if there is no such file, or its input is of another kind.
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
    return timed(
        lambda: session.run(None, feed), num_repeats=num_repeats, num_warmup=num_warmup, num_threads=num_threads
    )
