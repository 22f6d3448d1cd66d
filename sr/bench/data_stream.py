"""The training stream alone, kornia's augmentation beside it, and what decoding the images takes."""

import tempfile
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

from sr.bench.interleaved import in_turns, median_and_p95
from sr.bench.loops import bare_loop, data_of, timed
from sr.bench.measurement import Measurement, machine_note
from sr.bench.memory import PeakMemory
from sr.bench.setting import composed, described, in_words
from sr.data.download import fetch_archive
from sr.data.module import ImageData
from sr.data.patches import AHEAD, PatchStream
from sr.data.pixel_map import PIXELS
from sr.evaluation import to_network
from sr.report.table import Column, Table

CPU = torch.device("cpu")
STREAM, FLOATS, KORNIA, STEP = (
    "the stream: cut and turned, bytes",
    "bytes to floats",
    "kornia's turns of the same crops, floats",
    "the rest of a step: bare loop",
)
COLUMNS = (
    Column("what", "a batch"),
    Column("median_ms", "median ms", ".3f"),
    Column("p95_ms", "p95 ms", ".3f"),
    Column("mb_per_second", "MB/s", ",.0f"),
    Column("share_of_step", "of a step", ".1%"),
)
ONCE_COLUMNS = (
    Column("what", "what"),
    Column("seconds", "s", ".1f"),
    Column("num_images", "images", ",d"),
    Column("decoded_mb", "MB decoded", ",.0f"),
    Column("mb_per_second", "MB/s", ",.0f"),
    Column("peak_mib", "peak MiB resident", ",.0f"),
)


MEMORY_NOTE = "resident memory is that of the whole process, without the pages of the decoded images"


def measure(overrides: Sequence[str], *, num_batches: int, keep_cache: bool) -> Measurement:
    """Decode the images anew, then time batches, and steps between them.

    Args:
        overrides: Of the config.
        num_batches: Timed batches.
        keep_cache: Whether to use decoded images that are there already; no decoding is timed then.

    Raises:
        ValueError: Images that cannot be used.
    """
    with composed(overrides) as (config, _), cache_folder(config, keep_cache) as cache:
        config.data.cache, config.train.fp32_tail = str(cache), 0
        data = data_of(config)
        once = [resident("Python and its libraries", lambda: None)]
        once += [] if keep_cache else [decoding(data, cache)]
        once.append(
            resident(f"{num_batches} batches of the stream", lambda: deque(islice(data.stream(0), num_batches), 0))
        )
        times = in_turns(contenders(config, data), num_rounds=num_batches, num_warmup=min(AHEAD, num_batches))
        setting = described(config) | {"augment": config.data.augment, "num_batches": num_batches}
        rows = batch_rows(times, num_bytes=sum(images.numel() for images in next(data.stream(0))))
    notes = [in_words(setting), machine_note()]
    tables = [Table("data, in turns", COLUMNS, rows, notes), Table("once", ONCE_COLUMNS, once, [MEMORY_NOTE])]
    return Measurement(setting=setting, figures={"batch": rows, "once": once}, tables=tables)


@contextmanager
def cache_folder(config: DictConfig, keep: bool) -> Iterator[Path]:
    """The folder of decoded images: the config's own, or a temporary one inside it, so on the same disk."""
    folder = Path(config.data.cache).expanduser()
    if keep:
        yield folder
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=folder) as name:
        yield Path(name)


def decoding(data: ImageData, cache: Path) -> dict[str, Any]:
    """Decode all images and tell what it took; downloads come before it."""
    for archive in data.archives:
        fetch_archive(archive, data.root)
    row = resident("decoding into an empty cache", data.prepare_data)
    decoded_mb = sum(path.stat().st_size for path in cache.glob(f"*/{PIXELS}")) / 1e6
    num_images = len(data.train_pairs) + len(data.val_pairs)
    return row | {
        "num_images": num_images,
        "decoded_mb": decoded_mb,
        "mb_per_second": decoded_mb / row["seconds"],
    }


def resident(what: str, call: Callable[[], object]) -> dict[str, Any]:
    """Call something once; its name, its seconds, and the most memory that was resident meanwhile."""
    started = time.perf_counter()
    with PeakMemory() as memory:
        call()
    seconds = time.perf_counter() - started
    peak_mib = None if memory.peak_bytes is None else round(memory.peak_bytes / 2**20, 1)
    return {"what": what, "seconds": seconds, "peak_mib": peak_mib}


def contenders(config: DictConfig, data: ImageData) -> dict[str, Callable[[], object]]:
    """What is done for one batch, by name; on the CPU."""
    step, stream, unturned = bare_loop(config, data, CPU), data.stream(0), plain_stream(data)
    turn = kornia_turns()
    latest: list[Tensor] = []

    def cut() -> None:
        latest[:] = next(stream)

    def convert() -> None:
        latest[:] = [to_network(images, step.net) for images in latest]

    def turn_in_kornia() -> None:
        turn(*crops)

    # The same images and places over and over: kornia's work does not depend on the pixels.
    crops = [images.contiguous().float() / 255 for images in next(unturned)]
    return {STREAM: cut, FLOATS: convert, KORNIA: turn_in_kornia, STEP: lambda: timed(step, 1, CPU)}


def plain_stream(data: ImageData) -> PatchStream:
    """The stream of a data module without the turns."""
    stream = data.stream(0)
    stream.augment = False
    return stream


def kornia_turns() -> Callable[[Tensor, Tensor], object]:
    """The eight turns of the square, equally likely, the same for LR and HR, by kornia."""
    import kornia.augmentation as K

    flip, rotate = K.RandomHorizontalFlip(p=0.5), K.RandomRotation90(times=(0, 3), p=1.0)
    return K.AugmentationSequential(flip, rotate, data_keys=["input", "input"])


def batch_rows(times: dict[str, list[float]], *, num_bytes: int) -> list[dict[str, Any]]:
    """Rows of the table.

    Args:
        times: Milliseconds of each contender.
        num_bytes: Of a batch of the stream.
    """
    found = {name: median_and_p95(each) for name, each in times.items()}
    whole = sum(found[name]["median_ms"] for name in (STREAM, FLOATS, STEP))
    rows = [{"what": name, **each, "share_of_step": each["median_ms"] / whole} for name, each in found.items()]
    rows[0]["mb_per_second"] = num_bytes / 1e3 / found[STREAM]["median_ms"]
    return rows
