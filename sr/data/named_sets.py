"""The test sets of a run by their names: clean ones, and fixed degraded copies of them."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from sr.data.decode import SourceImage
from sr.data.degradation.degraded_map import degraded_pairs
from sr.data.degradation.named_copies import named_copy
from sr.data.pairs import ImagePair
from sr.data.pixel_map import PixelMap
from sr.data.sources import named_by_place
from sr.data.test_sets import find_clip_set, find_set, has_folder
from sr.data.video.video_clips import ClipFrames, clip_images


class NamedSets:
    """Test sets, found and decoded at their first use.

    A name such as `set5_h264_qp32` is a degraded copy of `set5`, see `named_copy`; a folder of that very name wins. A
    set of videos, or of folders of frames, is scored frame by frame, with its flicker.

    Args:
        names: In any case.
        root: Folder of the test sets.
        also: Folder of the training images, of which some sets are a part.
        scale: HR size / LR size.
        cache: Folder of decoded images.
        decode: Function that opens the pixel map of images, given their shrink.
        num_frames: Frames of each clip to score.

    Raises:
        ValueError: If a name has a degradation that cannot be made here.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        root: Path,
        also: Path,
        scale: int | float,
        cache: Path,
        decode: Callable[..., PixelMap],
        num_frames: int,
    ) -> None:
        self.root, self.also, self.scale, self.cache = root, also, scale, cache
        self._decode, self.num_frames = decode, num_frames
        lower = [name.lower() for name in names]
        self.copies = {name: (name, None) if has_folder(name, root, also) else named_copy(name) for name in lower}

    @cached_property
    def maps(self) -> dict[str, PixelMap]:
        """The clean images, by the names of the clean sets.

        Raises:
            ValueError: If a set is missing or incomplete.
        """
        found = {clean: self._files(clean) for clean in dict.fromkeys(clean for clean, _ in self.copies.values())}
        return {name: self._decode(images, shrink=1) for name, images in found.items()}

    @cached_property
    def clips(self) -> dict[str, Path]:
        """The folders of the sets that are clips, by the names of the clean sets."""
        found = {clean: find_clip_set(clean, self.root) for clean, _ in self.copies.values()}
        return {name: folder for name, folder in found.items() if folder}

    def _files(self, name: str) -> list[SourceImage]:
        if name in self.clips:
            return clip_images(self.clips[name], self.num_frames, self.cache, spread=False)
        files = find_set(name, self.root, self.scale, self.also)
        return named_by_place(files, files[0].parent)

    @cached_property
    def sets(self) -> dict[str, Sequence[ImagePair]]:
        """The pairs of each set."""
        made: dict[str, Sequence[ImagePair]] = {}
        for name, (clean, degradation) in self.copies.items():
            images = self.maps[clean]
            pairs: Sequence[ImagePair] = images
            if degradation is not None:
                pairs = degraded_pairs(
                    images, [(images, range(len(images)))], degradation,
                    scale=self.scale, cache=self.cache, num_used=1, num_made=1, in_clips=clean in self.clips,
                )  # fmt: skip
            made[name] = ClipFrames(pairs) if clean in self.clips else pairs
        return made
