"""Train with BasicSR's training loop on the same net, images and batch size, if BasicSR is installed.

BasicSR (https://github.com/XPixelGroup/BasicSR, Apache-2.0) is not a dependency. The benchmark runs its paired data set
on 480-pixel sub-images (as its guide recommends), its loader, its model class and its optimizer step, in the order of
its `basicsr/train.py`. Logging, validation and checkpoints are left out, in favour of BasicSR. It trains in fp32 only.
"""

import copy
import importlib
import importlib.util
import logging
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from sr.data.pairs import ImagePair, aligned_crop
from sr.functional.resize import as_ratio

SUB_IMAGE_PX = 480
MAX_SUB_IMAGES = 200
"""Enough that a file is rarely read twice in a measurement; ten files take about one second to write."""
_NET = "NetOfTheSrBenchmark"


def why_no_basicsr() -> str | None:
    """Return the reason why BasicSR cannot be measured here, or None if it can."""
    if importlib.util.find_spec("basicsr") is None:
        return "BasicSR was left out: it is not installed (pip install basicsr)"
    # BasicSR 1.4.2 imports a module that later versions of torchvision do not have.
    sys.modules.setdefault(
        "torchvision.transforms.functional_tensor", importlib.import_module("torchvision.transforms.functional")
    )
    try:
        importlib.import_module("basicsr")
    except (ImportError, AttributeError) as error:
        return f"BasicSR was left out: it cannot be imported with the installed libraries ({error})"
    return None


class BasicSRLoop:
    """Train a net with BasicSR.

    Args:
        net: The net in its training form; it is copied in contiguous memory format, which BasicSR uses.
        pairs: Training images; written as sub-images into the folder.
        folder: An empty folder.
        setting: Values of scale, batch_size, lr_patch and ema_decay.
        num_workers: Processes of BasicSR's loader; 0 loads in the training process.
        device: Device for training.

    Raises:
        ValueError: If BasicSR does not support the scale, or all images are smaller than a patch.
    """

    def __init__(
        self,
        net: nn.Module,
        pairs: Sequence[ImagePair],
        folder: Path,
        setting: Mapping[str, Any],
        *,
        num_workers: int,
        device: torch.device,
    ) -> None:
        from basicsr.data import build_dataloader, build_dataset
        from basicsr.data.data_sampler import EnlargedSampler
        from basicsr.data.prefetch_dataloader import CPUPrefetcher
        from basicsr.models import build_model
        from basicsr.utils import get_root_logger
        from basicsr.utils.registry import ARCH_REGISTRY

        get_root_logger(log_level=logging.WARNING)
        self.name = f"BasicSR {metadata.version('basicsr')}, fp32, {num_workers} workers"
        write_sub_images(pairs, folder, scale=setting["scale"], lr_patch=setting["lr_patch"])
        plain = copy.deepcopy(net).to(memory_format=torch.contiguous_format)
        ARCH_REGISTRY._obj_map[_NET] = lambda: copy.deepcopy(plain)  # its `register` raises at a second measurement
        options = _options(setting, folder, color=str(net.color), num_workers=num_workers, device=device)
        images = build_dataset(options["datasets"]["train"])
        self._sampler = EnlargedSampler(images, 1, 0, 100)  # the ratio in BasicSR's configs
        loader = build_dataloader(
            images, options["datasets"]["train"], num_gpu=options["num_gpu"], sampler=self._sampler
        )
        self._prefetcher = CPUPrefetcher(loader)
        self._model = build_model(options)
        self._iteration, self._epoch = 0, 0

    def run(self, iterations: int) -> None:
        """Train for a number of further iterations."""
        for _ in range(iterations):
            self._iteration += 1
            batch = self._next()
            self._model.update_learning_rate(self._iteration)
            self._model.feed_data(batch)
            self._model.optimize_parameters(self._iteration)

    def _next(self) -> dict[str, Any]:
        while (batch := self._prefetcher.next()) is None:
            self._epoch += 1
            self._sampler.set_epoch(self._epoch)
            self._prefetcher.reset()
        return batch


def write_sub_images(pairs: Sequence[ImagePair], folder: Path, *, scale: float, lr_patch: int) -> int:
    """Cut images into tiles of `SUB_IMAGE_PX` HR pixels and save them as PNG, as BasicSR's guide describes.

    Args:
        pairs: The images.
        folder: Folder for `hr/` and `lr/`, with files of the same names.
        scale: Upscaling factor, an integer.
        lr_patch: Smallest side of a tile in LR pixels; smaller tiles are left out.

    Returns:
        The number of tiles, at most `MAX_SUB_IMAGES`, evenly chosen.

    Raises:
        ValueError: If the scale is not an integer, or no image is as large as a patch.
    """
    ratio = as_ratio(scale)
    if ratio.denominator != 1:
        raise ValueError(f"BasicSR supports integer scales only, got x{scale:g}")
    side = SUB_IMAGE_PX // ratio.numerator
    tiles = [place for i, pair in enumerate(pairs) for place in _tiles(i, pair, side, lr_patch)]
    if not tiles:
        raise ValueError(f"no image holds a patch of {lr_patch} LR pixels; lower data.lr_patch")
    step = max(1, -(-len(tiles) // MAX_SUB_IMAGES))
    for kind in ("lr", "hr"):
        (folder / kind).mkdir(parents=True)
    for number, (i, top, left, height, width) in enumerate(tiles[::step]):
        pair = pairs[i]
        lr, hr = aligned_crop(pair.lr, pair.hr, ratio, top, left, height, width)
        for kind, pixels in (("lr", lr), ("hr", hr)):
            Image.fromarray(pixels).save(folder / kind / f"{number:04d}.png", compress_level=3)  # as in its script
    return len(tiles[::step])


def _tiles(index: int, pair: ImagePair, side: int, least: int) -> list[tuple[int, int, int, int, int]]:
    """Return (image, top, left, height, width) in LR pixels of the tiles that are as large as a patch."""
    rows, columns = pair.lr.shape[:2]
    places = [
        (index, top, left, min(side, rows - top), min(side, columns - left))
        for top in range(0, rows, side)
        for left in range(0, columns, side)
    ]
    return [place for place in places if min(place[3:]) >= least]


def _options(
    setting: Mapping[str, Any], folder: Path, *, color: str, num_workers: int, device: torch.device
) -> dict[str, Any]:
    """Return the entries of BasicSR's option file that its training loop reads."""
    scale = int(setting["scale"])
    data = {
        "name": "train", "type": "PairedImageDataset", "phase": "train", "scale": scale, "color": color,
        "dataroot_gt": str(folder / "hr"), "dataroot_lq": str(folder / "lr"), "io_backend": {"type": "disk"},
        "gt_size": scale * setting["lr_patch"], "use_hflip": True, "use_rot": True,
        "num_worker_per_gpu": num_workers, "batch_size_per_gpu": setting["batch_size"],
    }  # fmt: skip
    training = {
        "ema_decay": setting["ema_decay"],
        "optim_g": {"type": "Adam", "lr": 5e-4, "weight_decay": 0, "betas": [0.9, 0.999]},
        "scheduler": {"type": "MultiStepLR", "milestones": [200_000], "gamma": 0.5},
        "pixel_opt": {"type": "L1Loss", "loss_weight": 1.0, "reduction": "mean"},
    }
    return {
        "model_type": "SRModel", "scale": scale, "num_gpu": int(device.type == "cuda"), "is_train": True, "dist": False,
        "rank": 0, "world_size": 1, "manual_seed": 0, "path": {}, "network_g": {"type": _NET},
        "datasets": {"train": data}, "train": training,
    }  # fmt: skip
