"""Forward passes by batch size, with what explains them: multiplications, bytes moved, and the ratio of the two."""

import time
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from sr.bench.infer import in_torch
from sr.bench.interleaved import in_turns
from sr.bench.layer_times import time_by_kind
from sr.bench.loops import task_of
from sr.bench.measurement import Measurement, machine_note
from sr.bench.setting import composed, in_words
from sr.cost.count import bytes_moved, cost
from sr.models.net import Net
from sr.report.table import Column, Table

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
LAYER_RUNS = 10
LAYER_COLUMNS = (
    Column("model", "net"),
    Column("kind", "kind of layer"),
    Column("layers", "layers"),
    Column("macs_g", "GMAC", ".3f"),
    Column("ms", "ms", ".2f"),
    Column("gflops", "GFLOP/s", ".1f"),
)
LAYER_NOTE = "processor time, without what lies between the layers"
NOTE = "FLOP a byte: two for each multiplication, over what the layers read and write, nothing kept; GB/s likewise"


def measure(
    overrides: Sequence[str], *, models: str, batch_sizes: str, lr_side: int, num_runs: int, clock: str
) -> Measurement:
    """Time nets in turns, for each batch size and each way to run them in PyTorch (on a GPU, too, where there is one).

    Args:
        overrides: Of the config of every net, such as `scale=2`; x4 without.
        models: Names of conf/model, separated by commas.
        batch_sizes: Numbers, separated by commas.
        lr_side: LR pixels per side of the square pictures.
        num_runs: Timed passes of each; one more before them warms up.
        clock: "wall", or "cpu": time on all processors together, which other programs do not lengthen; the CPU only.

    Raises:
        ValueError: Batch sizes that are no numbers, or a net that cannot be built.
    """
    sizes = [int(text) for text in batch_sizes.split(",") if text.strip().isdecimal() and int(text)]
    if not sizes or len(sizes) != len(batch_sizes.split(",")):
        raise ValueError(f"--batch-sizes are whole numbers from 1 on, separated by commas, got {batch_sizes!r}")
    nets, rows = dict[str, Any](), dict[str, dict[str, Any]]()
    for name in models.split(","):
        with composed(["scale=4", *overrides, f"model={name}"]) as (config, _):
            nets[name] = task_of(config).deployable()
    for size in sizes:
        calls = {
            f"{name}: {way}": call
            for name, net in nets.items()
            for way, call in in_torch(net, lr_side, lr_side, size).items()
            if clock == "wall" or "cuda" not in way
        }
        for key, times in in_turns(calls, num_rounds=num_runs, num_warmup=1, clock=CLOCKS[clock]).items():
            name, way = key.split(": ")
            row = rows.setdefault(key, {"model": name, "runtime": way, **_amounts(nets[name], way, lr_side, 1)})
            milliseconds = row[f"batch_{size}_ms"] = fmean(times)
            done = _amounts(nets[name], way, lr_side, size)
            row["gflops"], row["gb_s"] = 2e3 * done["macs_g"] / milliseconds, done["moved_mb"] / milliseconds
    columns = (
        Column("model", "net"),
        Column("runtime", "runtime"),
        Column("macs_g", "GMAC an image", ".3f"),
        Column("moved_mb", "MB moved", ".1f"),
        Column("flop_per_byte", "FLOP a byte", ".1f"),
        *(Column(f"batch_{size}_ms", f"batch {size}, ms", ".1f") for size in sizes),
        Column("gflops", f"GFLOP/s at {sizes[-1]}", ".1f"),
        Column("gb_s", "GB/s", ".1f"),
    )
    setting: dict[str, str | int | float] = {
        "scale": next(iter(nets.values())).scale, "lr_side": lr_side, "num_runs": num_runs, "clock": clock,
    }  # fmt: skip
    table = Table("forward passes, in turns", columns, list(rows.values()), [NOTE, in_words(setting), machine_note()])
    kinds = [
        {"model": name} | row
        for name, net in nets.items()
        for row in time_by_kind(net, lr_side, batch_size=1, num_runs=min(num_runs, LAYER_RUNS))
    ]
    layers = Table("where the time goes: fp32, channels_last, batch 1", LAYER_COLUMNS, kinds, [LAYER_NOTE])
    return Measurement(
        setting=setting, figures={"passes": list(rows.values()), "layers": kinds}, tables=[table, layers]
    )


def _amounts(net: Net, way: str, lr_side: int, batch_size: int) -> dict[str, float]:
    """The counted part of a row."""
    width = 2 if "bf16" in way else 4
    macs = cost(net, lr_side, lr_side).macs_g * 1e9 * batch_size
    moved = bytes_moved(net, lr_side, lr_side, batch_size=batch_size, bytes_per_value=width)
    return {"macs_g": macs / 1e9, "moved_mb": moved / 1e6, "flop_per_byte": 2 * macs / moved}
