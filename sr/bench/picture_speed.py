"""Benchmark of `sr upscale` on a folder: the command beside a plain loop of Pillow and the same runtime."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from sr.bench.interleaved import Span, Stopwatch, neighbours_ratio
from sr.bench.measurement import Measurement, format_machine
from sr.bench.video_speed import photograph, refuse_settings, size_of_text
from sr.data.image_writer import QUALITY
from sr.report.table import Column, Table
from sr.upscale.one_picture import PictureSettings
from sr.upscale.opened_net import OpenedNet, open_net
from sr.upscale.picture_folder import upscale_folder

_COLUMNS = (
    Column("way", "way"),
    Column("seconds", "seconds", ".2f"),
    Column("cpu_seconds", "processor seconds", ".2f"),
    Column("speed", "speed, loop = 1", ".2f"),
    Column("cpu_speed", "by processor time", ".2f"),
)
_NOTE = "speed: median over the blocks, in which both ways ran one after the other on the same pictures"


def measure_pictures(
    overrides: Sequence[str],
    *,
    net: str,
    precision: str,
    runtime: str,
    num_pictures: int,
    num_blocks: int,
    picture_size: str,
    ending: str,
) -> Measurement:
    """Upscale folders of pictures by `upscale_folder` and by a plain loop, in turns.

    Args:
        overrides: Not used; there is no config.
        net: As `open_net`.
        precision: "fp32" or "int8".
        runtime: As `open_net`.
        num_pictures: Pictures in all blocks together.
        num_blocks: Blocks, at most as many as pictures.
        picture_size: Width x height of the sources.
        ending: "png" or "jpg", of sources and results.

    Raises:
        ValueError: An override, a size that is none, or no such net.
    """
    refuse_settings("pictures", overrides)
    height, width = size_of_text("--picture-size", picture_size)
    opened = open_net(net, precision=precision, runtime=runtime)
    num_blocks = min(num_blocks, num_pictures)
    spans: dict[str, list[Span]] = {"sr upscale": [], "plain loop": []}
    with tempfile.TemporaryDirectory() as name:
        for block in range(num_blocks):
            folder = Path(name) / f"block_{block}"
            _write_pictures(folder, range(block, num_pictures, num_blocks), (height, width), ending)
            for way in sorted(spans, reverse=bool(block % 2)):
                spans[way].append(_timed(way, opened, folder))
    rows = [_row(way, spans) for way in spans]
    title = f"{num_pictures} {ending} pictures of {picture_size}, {opened.title}"
    setting = {"net": opened.title, "num_pictures": num_pictures, "picture_size": picture_size, "ending": ending}
    table = Table(title, _COLUMNS, rows, [_NOTE, format_machine()])
    return Measurement(setting=setting, figures={"ways": rows}, tables=[table])


def _write_pictures(folder: Path, numbers: Sequence[int], size: tuple[int, int], ending: str) -> None:
    folder.mkdir()
    photo = photograph(size[0] + 32, size[1] + 32)
    for number in numbers:
        top, left = number % 32, number // 32 % 32
        image = Image.fromarray(np.roll(photo, number, axis=1)[top : top + size[0], left : left + size[1]])
        image.save(folder / f"{number:05d}.{ending}", quality=90)


def _timed(way: str, net: OpenedNet, folder: Path) -> Span:
    target = folder.with_name(f"{folder.name}_{way.split()[0]}")
    watch = Stopwatch(torch.device("cpu"))
    if way == "plain loop":
        _plain_loop(net, folder, target)
    else:
        result = upscale_folder(net, folder, target, PictureSettings(quality=None, max_megapixels=None))
        assert not result.failed, result.failed
    return watch.read()


def _plain_loop(net: OpenedNet, folder: Path, target: Path) -> None:
    """Read, upscale and write one picture after the other, as a short script does."""
    target.mkdir()
    how: dict[str, Any] = {**QUALITY["JPEG"], "subsampling": 0}
    for path in sorted(folder.iterdir()):
        with Image.open(path) as image:
            lr = np.asarray(image.convert("RGB"))
        Image.fromarray(net(lr)).save(target / path.name, **(how if path.suffix == ".jpg" else {}))


def _row(way: str, spans: dict[str, list[Span]]) -> dict[str, Any]:
    own, plain = spans[way], spans["plain loop"]
    return {
        "way": way,
        "seconds": sum(span.seconds for span in own),
        "cpu_seconds": sum(span.cpu_seconds for span in own),
        "speed": neighbours_ratio([span.seconds for span in plain], [span.seconds for span in own]),
        "cpu_speed": neighbours_ratio([span.cpu_seconds for span in plain], [span.cpu_seconds for span in own]),
    }
