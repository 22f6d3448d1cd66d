"""Benchmark of the training data stream, of kornia's augmentation on the same crops, and of decoding the images."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor

from sr.bench.interleaved import median_and_p95, time_interleaved
from sr.bench.loops import image_data_of, make_baseline_loop, timed
from sr.bench.measurement import Measurement, format_machine
from sr.bench.memory import PeakMemory
from sr.bench.setting import composed, describe_setting, format_setting
from sr.data.download import fetch_archive
from sr.data.module import ImageData
from sr.data.patches import AHEAD, PatchStream
from sr.data.pixel_map import PIXELS
from sr.evaluation import to_network
from sr.report.table import Column, Table
from sr.runs.files import temporary_folder

_CPU = torch.device("cpu")
STREAM, FLOATS, KORNIA, TRAINING_STEP = (
    "stream: crop and augment, bytes",
    "bytes to floats",
    "kornia: augment the same crops, floats",
    "rest of a step: plain loop",
)
STREAM_COLUMNS = (
    Column("what", "per batch"),
    Column("median_ms", "median ms", ".3f"),
    Column("p95_ms", "p95 ms", ".3f"),
    Column("mb_per_second", "MB/s", ",.0f"),
    Column("share_of_step", "share of a step", ".1%"),
)
_ONCE_COLUMNS = (
    Column("what", "once"),
    Column("seconds", "s", ".1f"),
    Column("num_images", "images", ",d"),
    Column("decoded_mb", "MB decoded", ",.0f"),
    Column("mb_per_second", "MB/s", ",.0f"),
    Column("peak_mib", "peak MiB resident", ",.0f"),
)
_MEMORY_NOTE = "resident memory of the whole process, without the pages of decoded images"


def measure_data(overrides: Sequence[str], *, num_batches: int, keep_cache: bool) -> Measurement:
    """Decode the images into an empty cache, then time batches of the stream and training steps, interleaved.

    Args:
        overrides: Config overrides.
        num_batches: Timed batches.
        keep_cache: Whether to use existing decoded images; decoding is then not timed.

    Returns:
        The measurement.

    Raises:
        ValueError: If the images cannot be used.
    """
    with composed(overrides) as (config, _), cache_folder(config, keep_cache) as cache:
        config.data.cache, config.train.fp32_tail = str(cache), 0
        data = image_data_of(config)
        once = [call_with_memory("Python and libraries", lambda: None)]
        once += [] if keep_cache else [decoding(data, cache)]
        once.append(
            call_with_memory(
                f"{num_batches} batches of the stream", lambda: deque(islice(data.stream(0), num_batches), 0)
            )
        )
        times = time_interleaved(batch_calls(config, data), num_rounds=num_batches, num_warmup=min(AHEAD, num_batches))
        setting = describe_setting(config) | {"augment": config.data.augment, "num_batches": num_batches}
        rows = batch_rows(times, num_bytes=sum(images.numel() for images in next(data.stream(0))))
    notes = [format_setting(setting), format_machine()]
    tables = [
        Table("data, interleaved", STREAM_COLUMNS, rows, notes),
        Table("once", _ONCE_COLUMNS, once, [_MEMORY_NOTE]),
    ]
    return Measurement(setting=setting, figures={"batch": rows, "once": once}, tables=tables)


@contextmanager
def cache_folder(config: DictConfig, keep: bool) -> Iterator[Path]:
    """Yield the folder of decoded images: the configured one, or a temporary one inside it (the same disk).

    Args:
        config: The composed config.
        keep: Whether to use the configured folder.

    Yields:
        The folder; a temporary one is removed afterwards.
    """
    folder = Path(config.data.cache).expanduser()
    if keep:
        yield folder
        return
    with temporary_folder(folder) as place:
        yield place


def decoding(data: ImageData, cache: Path) -> dict[str, Any]:
    """Decode all images into an empty cache and return a table row; downloads are not timed.

    Args:
        data: The data module.
        cache: Its empty cache folder.
    """
    for archive in data.archives:
        fetch_archive(archive, data.root)
    row = call_with_memory("decoding into an empty cache", data.prepare_data)
    decoded_mb = sum(path.stat().st_size for path in cache.glob(f"*/{PIXELS}")) / 1e6
    num_images = len(data.train_pairs) + len(data.val_pairs)
    return row | {
        "num_images": num_images,
        "decoded_mb": decoded_mb,
        "mb_per_second": decoded_mb / row["seconds"],
    }


def call_with_memory(what: str, call: Callable[[], object]) -> dict[str, Any]:
    """Call a function once and return a row with its name, seconds and peak resident memory.

    Args:
        what: Name of the call.
        call: The function.
    """
    started = time.perf_counter()
    with PeakMemory() as memory:
        call()
    seconds = time.perf_counter() - started
    peak_mib = None if memory.peak_bytes is None else round(memory.peak_bytes / 2**20, 1)
    return {"what": what, "seconds": seconds, "peak_mib": peak_mib}


def batch_calls(config: DictConfig, data: ImageData) -> dict[str, Callable[[], object]]:
    """Return the timed functions for one batch on the CPU, by name.

    Args:
        config: The composed config.
        data: Its data module.
    """
    step, stream, unaugmented = make_baseline_loop(config, data, _CPU), data.stream(0), unaugmented_stream(data)
    augment = kornia_augmentation()
    latest: list[Tensor] = []

    def cut() -> None:
        latest[:] = next(stream)

    def convert() -> None:
        latest[:] = [to_network(images, step.net) for images in latest]

    # The same crops each time: the time of kornia does not depend on the pixels.
    crops = [images.contiguous().float() / 255 for images in next(unaugmented)]
    return {STREAM: cut, FLOATS: convert, KORNIA: lambda: augment(*crops), TRAINING_STEP: lambda: timed(step, 1, _CPU)}


def unaugmented_stream(data: ImageData) -> PatchStream:
    """Return the stream of a data module without flips and rotations."""
    stream = data.stream(0)
    stream.augment = False
    return stream


def kornia_augmentation() -> Callable[[Tensor, Tensor], object]:
    """Return kornia's augmentation with the eight flips and rotations, the same for LR and HR."""
    import kornia.augmentation as K

    flip, rotate = K.RandomHorizontalFlip(p=0.5), K.RandomRotation90(times=(0, 3), p=1.0)
    return K.AugmentationSequential(flip, rotate, data_keys=["input", "input"])


def batch_rows(times: dict[str, list[float]], *, num_bytes: int) -> list[dict[str, Any]]:
    """Return the rows of the table.

    Args:
        times: Name -> milliseconds of each call, in the order of `batch_calls`.
        num_bytes: Bytes of a batch of the stream.
    """
    found = {name: median_and_p95(each) for name, each in times.items()}
    whole = sum(found[name]["median_ms"] for name in (STREAM, FLOATS, TRAINING_STEP))
    rows = [{"what": name, **each, "share_of_step": each["median_ms"] / whole} for name, each in found.items()]
    rows[0]["mb_per_second"] = num_bytes / 1e3 / found[STREAM]["median_ms"]
    return rows
