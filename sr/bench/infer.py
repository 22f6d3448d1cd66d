"""Benchmark of one image: PyTorch in three formats and ONNX files, interleaved, on the CPU; PyTorch on a GPU, too."""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import DictConfig

from sr.bench.interleaved import median_and_p95, time_interleaved
from sr.bench.loops import task_of
from sr.bench.measurement import Measurement, format_machine
from sr.bench.setting import composed, describe_setting, format_setting
from sr.config.own_targets import named_targets
from sr.config.targets import refuse_foreign
from sr.cost.count import image_channels
from sr.export.graph.onnx_graph import DEQUANTIZE, Graph
from sr.export.graph.shape import fix_shape, lr_size
from sr.models.net import Net
from sr.report.table import Column, Table
from sr.runs.identity import CONFIG, kept_config

_FLOAT_FILE, _QUANTIZED_FILE = "export/float.onnx", "export/pixels.onnx"
_MACHINE_OVERRIDES = ("size=", "machine.")
_NET_KEYS = ("model", "scale", "protocol")
"""Settings of a run that define its net."""
_COLUMNS = (
    Column("runtime", "runtime"),
    Column("median_ms", "median ms", ".2f"),
    Column("p95_ms", "p95 ms", ".2f"),
    Column("images_per_second", "images/s", ".1f"),
    Column("speed", "relative speed", ".2f"),
)


def measure_infer(overrides: Sequence[str], *, run: Path | None, onnx: Sequence[Path], num_rounds: int) -> Measurement:
    """Time single forward passes at the output resolution `size`, interleaved.

    Args:
        overrides: Config overrides; with `run` only `size` and `machine`.
        run: A run folder; its config defines the net, and its exported ONNX files are timed, too.
        onnx: ONNX files of the same scale and color.
        num_rounds: Timed passes of each runtime.

    Returns:
        The measurement.

    Raises:
        ValueError: If the run or a file does not exist, other settings are overridden, or the net does not support the
            size.
    """
    if run is not None:
        _refuse_other_settings(run, overrides)
        onnx = [*onnx, *(run / name for name in (_FLOAT_FILE, _QUANTIZED_FILE) if (run / name).is_file())]
    with composed(overrides) as (config, _):
        if run is not None:
            _take_net_of(run, config)
        net = task_of(config).deployable()
        height, width = lr_size(config.size, scale=net.scale, multiple=net.size_multiple)
        setting = {key: describe_setting(config)[key] for key in ("net", "scale")}
    calls = torch_passes(net, height, width)
    for path in onnx:
        name, call = onnxruntime_pass(path, height, width, num_threads=torch.get_num_threads())
        calls[name] = call
    times = time_interleaved(calls, num_rounds=num_rounds, num_warmup=2)
    rows = _rows({name: median_and_p95(each) for name, each in times.items()})
    setting |= {"lr_height": height, "lr_width": width, "batch_size": 1, "num_rounds": num_rounds}
    notes = [format_setting(setting), format_machine()]
    if run is not None and not onnx:
        notes.insert(0, f"{run} has no {_FLOAT_FILE} and no {_QUANTIZED_FILE}: it is not exported")
    return Measurement(
        setting=setting, figures={"runtimes": rows}, tables=[Table("inference, interleaved", _COLUMNS, rows, notes)]
    )


def _refuse_other_settings(run: Path, overrides: Sequence[str]) -> None:
    if not (run / CONFIG).is_file():
        raise ValueError(f"no run at {run}: it has no {CONFIG}; give a folder below outputs/")
    if wrong := [text for text in overrides if not text.startswith(_MACHINE_OVERRIDES)]:
        raise ValueError(f"--run defines the net, got also {' '.join(wrong)}; with --run give only size= or machine.*")


def _take_net_of(run: Path, config: DictConfig) -> None:
    """Set the net of a config to that of a run; weights are not loaded, because speed does not depend on them."""
    theirs = kept_config(run)
    if missing := [key for key in _NET_KEYS if key not in theirs]:
        raise ValueError(f"{run / CONFIG} is no config of a run: it has no {', '.join(missing)}")
    net = {key: theirs[key] for key in _NET_KEYS}
    refuse_foreign(net, source=str(run / CONFIG), own=named_targets())
    for key, value in net.items():
        config[key] = value


def torch_passes(net: Net, height: int, width: int, batch_size: int = 1) -> dict[str, Callable[[], object]]:
    """Return functions that run one forward pass on random images, for each PyTorch device and format.

    Args:
        net: The net in its inference form.
        height: LR rows.
        width: LR columns.
        batch_size: Images of a batch.

    Returns:
        Name of the runtime -> function.
    """
    calls: dict[str, Callable[[], object]] = {}
    shape = (batch_size, image_channels(net), height, width)
    devices = [torch.device("cpu"), *([torch.device("cuda")] if torch.cuda.is_available() else [])]
    for device in devices:
        where = "" if device.type == "cpu" else f", {device.type}"
        for layout, memory_format in (("", torch.contiguous_format), (" channels_last", torch.channels_last)):
            calls[f"torch fp32{layout}{where}"] = _torch_pass(net, shape, device, memory_format, bf16=False)
        calls[f"torch bf16 channels_last{where}"] = _torch_pass(net, shape, device, torch.channels_last, bf16=True)
    return calls


def _torch_pass(
    net: Net, shape: tuple[int, ...], device: torch.device, memory_format: torch.memory_format, *, bf16: bool
) -> Callable[[], object]:
    own = copy.deepcopy(net).to(device).to(memory_format=memory_format)
    noise = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    lr = noise.to(device, memory_format=memory_format)

    def run() -> None:
        with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            own(lr)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return run


def onnxruntime_pass(path: Path, height: int, width: int, *, num_threads: int) -> tuple[str, Callable[[], object]]:
    """Return a function that runs one pass of an ONNX file on random pixels, in ONNX Runtime on the CPU.

    Args:
        path: The file; its only input is float (1, C, h, w) or uint8 (1, h, w, C).
        height: LR rows.
        width: LR columns.
        num_threads: Threads for one operator.

    Returns:
        The name of the runtime and the function.

    Raises:
        ValueError: If there is no such file.
    """
    import onnxruntime

    if not path.is_file():
        raise ValueError(f"no ONNX file at {path}; export the run first")
    graph = Graph.load(path)
    kind = "int8 QDQ" if graph.of_type(DEQUANTIZE) else "fp32"
    fix_shape(graph, height, width)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = num_threads, 3
    options.add_session_config_entry("session.x64quantprecision", "1")  # as in the rest of this project
    session = onnxruntime.InferenceSession(graph.model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    pixels = np.random.default_rng(0).integers(0, 256, entry.shape, dtype=np.uint8)
    as_bytes = entry.type == "tensor(uint8)"
    feed = {entry.name: pixels if as_bytes else (pixels / 255).astype(np.float32)}
    form = "uint8 NHWC" if as_bytes else "float NCHW"
    return f"ONNX Runtime {kind}, {form}: {path}", lambda: session.run(None, feed)


def _rows(found: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """Return the rows of the table; speed is relative to the first row."""
    first = next(iter(found.values()))["median_ms"]
    return [
        {
            "runtime": name,
            **each,
            "images_per_second": 1e3 / each["median_ms"],
            "speed": first / each["median_ms"],
        }
        for name, each in found.items()
    ]
