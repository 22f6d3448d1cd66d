"""Benchmark of forward passes by batch size, with MACs, bytes moved and arithmetic intensity."""

import time
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from sr.bench.infer import torch_passes
from sr.bench.interleaved import time_interleaved
from sr.bench.layer_times import time_by_kind
from sr.bench.loops import task_of
from sr.bench.measurement import Measurement, format_machine
from sr.bench.setting import composed, format_setting
from sr.cost.count import bytes_moved, cost
from sr.models.net import Net
from sr.report.table import Column, Table

_CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
_LAYER_RUNS = 10
_LAYER_COLUMNS = (
    Column("model", "net"),
    Column("kind", "kind of layer"),
    Column("layers", "layers"),
    Column("macs_g", "GMAC", ".3f"),
    Column("ms", "ms", ".2f"),
    Column("gflops", "GFLOP/s", ".1f"),
)
_LAYER_NOTE = "processor time of the layers, without the time between them"
_NOTE = "FLOP per byte: 2 MACs / bytes that the layers read and write without a cache; GB/s: the same bytes"


def measure_batches(
    overrides: Sequence[str], *, models: str, batch_sizes: str, lr_side: int, num_runs: int, clock: str
) -> Measurement:
    """Time the forward passes of nets, interleaved, for each batch size and each PyTorch runtime.

    Args:
        overrides: Config overrides for every net, such as `scale=2`; the default scale is 4.
        models: Names in conf/model, separated by commas.
        batch_sizes: Batch sizes, separated by commas.
        lr_side: LR pixels per side of the square images.
        num_runs: Timed passes of each net, after one warm-up pass.
        clock: "wall", or "cpu": processor time of all cores, which other programs do not increase. With "cpu", GPUs are
            left out.

    Returns:
        The measurement.

    Raises:
        ValueError: If a batch size is not a positive integer, or a net cannot be built.
    """
    sizes = [int(text) for text in batch_sizes.split(",") if text.strip().isdecimal() and int(text)]
    if not sizes or len(sizes) != len(batch_sizes.split(",")):
        raise ValueError(f"--batch-sizes must be whole numbers of at least 1, separated by commas, got {batch_sizes!r}")
    nets, rows = dict[str, Any](), dict[str, dict[str, Any]]()
    for name in models.split(","):
        with composed(["scale=4", *overrides, f"model={name}"]) as (config, _):
            nets[name] = task_of(config).deployable()
    for size in sizes:
        calls = {
            f"{name}: {way}": call
            for name, net in nets.items()
            for way, call in torch_passes(net, lr_side, lr_side, size).items()
            if clock == "wall" or "cuda" not in way
        }
        for key, times in time_interleaved(calls, num_rounds=num_runs, num_warmup=1, clock=_CLOCKS[clock]).items():
            name, way = key.split(": ")
            row = rows.setdefault(key, {"model": name, "runtime": way, **_amounts(nets[name], way, lr_side, 1)})
            milliseconds = row[f"batch_{size}_ms"] = fmean(times)
            done = _amounts(nets[name], way, lr_side, size)
            row["gflops"], row["gb_s"] = 2e3 * done["macs_g"] / milliseconds, done["moved_mb"] / milliseconds
    columns = (
        Column("model", "net"),
        Column("runtime", "runtime"),
        Column("macs_g", "GMAC per image", ".3f"),
        Column("moved_mb", "MB moved", ".1f"),
        Column("flop_per_byte", "FLOP per byte", ".1f"),
        *(Column(f"batch_{size}_ms", f"batch {size}, ms", ".1f") for size in sizes),
        Column("gflops", f"GFLOP/s at {sizes[-1]}", ".1f"),
        Column("gb_s", "GB/s", ".1f"),
    )
    setting: dict[str, str | int | float] = {
        "scale": next(iter(nets.values())).scale, "lr_side": lr_side, "num_runs": num_runs, "clock": clock,
    }  # fmt: skip
    notes = [_NOTE, format_setting(setting), format_machine()]
    table = Table("forward passes, interleaved", columns, list(rows.values()), notes)
    kinds = [
        {"model": name} | row
        for name, net in nets.items()
        for row in time_by_kind(net, lr_side, batch_size=1, num_runs=min(num_runs, _LAYER_RUNS))
    ]
    layers = Table("time by kind of layer: fp32, channels_last, batch 1", _LAYER_COLUMNS, kinds, [_LAYER_NOTE])
    return Measurement(
        setting=setting, figures={"passes": list(rows.values()), "layers": kinds}, tables=[table, layers]
    )


def _amounts(net: Net, way: str, lr_side: int, batch_size: int) -> dict[str, float]:
    """Return MACs (1e9), bytes moved (MB) and arithmetic intensity of one pass."""
    width = 2 if "bf16" in way else 4
    macs = cost(net, lr_side, lr_side).macs_g * 1e9 * batch_size
    moved = bytes_moved(net, lr_side, lr_side, batch_size=batch_size, bytes_per_value=width)
    return {"macs_g": macs / 1e9, "moved_mb": moved / 1e6, "flop_per_byte": 2 * macs / moved}
