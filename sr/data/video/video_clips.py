"""Clips as image files: video files and folders of frames, of which some frames are used."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from filelock import FileLock
from PIL import Image

from sr.data.cache import content_hashes
from sr.data.cache_cleanup import FRAMES_FOLDER, frames_lock
from sr.data.decode import SourceImage
from sr.data.image import image_size
from sr.data.image_files import split_by_ending
from sr.data.pairs import ImagePair, Pairs
from sr.data.video.frame_colors import FrameColors, rgb_reader
from sr.data.video.source_video import SourceVideo, import_av

CLIP_ENDINGS = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".y4m")
KINDS = f"videos ({', '.join(CLIP_ENDINGS)}) or folders of frames"
_VERSION = 1
_SEEK_FRAMES = 32
"""A video is decoded in one go if a frame is taken of at most so many; else each frame is sought."""


class Clip(NamedTuple):
    """Consecutive frames: a video file, or the image files of one folder in the order of their names."""

    name: str
    video: Path | None
    files: tuple[Path, ...]


class ClipFrames(Pairs):
    """Frames of clips, those of a clip one after the other; what is before the last `/` of a name is its clip.

    Args:
        pairs: The frames.
    """

    def __init__(self, pairs: Sequence[ImagePair]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def pair(self, index: int) -> ImagePair:
        """Return one frame."""
        return self.pairs[index]


def find_clips(folder: Path) -> list[Clip]:
    """Return the clips below a folder, sorted by name.

    Args:
        folder: Searched at every depth; each folder with images is a clip, and so is each video file.

    Raises:
        ValueError: If the folder does not exist or has no clip.
    """
    if not folder.is_dir():
        raise ValueError(f"no folder {folder}; give one that holds {KINDS}")
    clips = []
    for place, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        images, others = split_by_ending(files)
        where = Path(place).relative_to(folder)
        if images:
            paths = tuple(Path(place, name) for name in sorted(images))
            clips.append(Clip(where.as_posix() if where.parts else folder.name, None, paths))
        videos = sorted(name for name in others if name.lower().endswith(CLIP_ENDINGS))
        clips += [Clip((where / name).as_posix(), Path(place, name), ()) for name in videos]
    if not clips:
        raise ValueError(f"{folder} holds no clip; put {KINDS} there")
    return sorted(clips, key=lambda clip: clip.name)


def clip_images(folder: Path, num_frames: int, cache: Path, *, spread: bool) -> list[SourceImage]:
    """Return frames of all clips below a folder as image files.

    Frames of videos are decoded to PNG files in the cache, once. Where few of many frames are used, each one is sought,
    so that the rest of the video is not decoded.

    Args:
        folder: Searched at every depth.
        num_frames: Frames of each clip; a shorter clip gives all that it has.
        cache: Folder of decoded images.
        spread: Whether the frames are spread evenly over the clip; else they are the first ones.

    Raises:
        ValueError: If a clip changes its size, cannot be read, or is to be scored and has one frame only.
    """
    images = []
    for clip in find_clips(folder):
        if clip.video is None:
            files = _chosen(clip, num_frames, spread)
        else:
            files = _extracted(clip.video, num_frames, cache, spread)
        _check_sizes(clip, files)
        if not spread and len(files) < 2:
            raise ValueError(
                f"clip {clip.name} in {folder} has one frame, and flicker needs two: add frames, or take it out"
            )
        images += [SourceImage(f"{clip.name}/{path.stem}", path, None) for path in files]
    return images


def spread_numbers(length: int, count: int) -> list[int]:
    """Return evenly spaced numbers below `length`, all if there are not more than `count`.

    Example:
        >>> spread_numbers(100, 4), spread_numbers(2, 4)
        ([12, 37, 62, 87], [0, 1])
    """
    return [*range(length)] if length <= count else [(2 * i + 1) * length // (2 * count) for i in range(count)]


def _chosen(clip: Clip, num_frames: int, spread: bool) -> list[Path]:
    numbers = spread_numbers(len(clip.files), num_frames) if spread else range(min(num_frames, len(clip.files)))
    return [clip.files[number] for number in numbers]


def _check_sizes(clip: Clip, files: Sequence[Path]) -> None:
    sizes = [image_size(path) for path in files]
    for path, size in zip(files, sizes, strict=True):
        if size != sizes[0]:
            raise ValueError(
                f"clip {clip.name} changes its size from {sizes[0][1]}x{sizes[0][0]} to {size[1]}x{size[0]} pixels at "
                f"{path.name}; split it into clips of one size"
            )


def _extracted(video: Path, num_frames: int, cache: Path, spread: bool) -> list[Path]:
    """Return the frames of a video as PNG files in the cache."""
    recipe = [_VERSION, content_hashes([video], cache)[0], num_frames, spread, import_av().__version__]
    key = hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:32]
    folder = cache / FRAMES_FOLDER / key
    (cache / "locks").mkdir(parents=True, exist_ok=True)
    with FileLock(frames_lock(cache, key)):
        if not folder.is_dir():
            unfinished = folder.with_name(f".{key}")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            try:
                for number, pixels in _frames(video, num_frames, spread):
                    Image.fromarray(pixels).save(unfinished / f"{number:06}.png", compress_level=1)
                os.rename(unfinished, folder)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
        os.utime(folder)  # `sr data --remove` counts the days from here
    return sorted(folder.glob("*.png"))


def _frames(video: Path, num_frames: int, spread: bool) -> Iterator[tuple[int, np.ndarray]]:
    """Yield numbered frames (h, w, 3) of a video."""
    if not spread:
        yield from enumerate(islice(_decoded(video), num_frames))
        return
    with_header = SourceVideo(video)
    length, rate = with_header.num_frames, with_header.stream.average_rate
    with_header.close()
    if length is None or not rate or length <= num_frames * _SEEK_FRAMES:
        kept = [*_decoded(video)] if length is None else None
        wanted = {*spread_numbers(len(kept) if kept is not None else length or 0, num_frames)}
        yield from ((n, each) for n, each in enumerate(kept if kept is not None else _decoded(video)) if n in wanted)
        return
    for number in spread_numbers(length, num_frames):
        start = max(0.0, (number - 0.5) / float(rate))
        yield from ((number, pixels) for pixels in islice(_decoded(video, start, 2 / float(rate)), 1))


def _decoded(video: Path, start: float | None = None, duration: float | None = None) -> Iterator[np.ndarray]:
    source, convert = SourceVideo(video, start, duration), None
    try:
        for item in source.items():
            if isinstance(item, import_av().VideoFrame):
                convert = convert or rgb_reader(item, FrameColors.of(item))
                yield convert(item).to_ndarray()
    finally:
        source.close()
