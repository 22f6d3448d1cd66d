"""Measures beside PSNR and SSIM: NIQE, LPIPS, DISTS, perceptual index, RMSE, and the blocks of depth-to-space."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch

from sr import metrics
from sr.config import checks
from sr.data.pairs import ImagePair
from sr.evaluation.pristine import STRIP_PX, niqe, pristine
from sr.evaluation.upscaler import Upscale
from sr.functional.color import image_luma
from sr.functional.grid import border_ratio
from sr.functional.niqe import BLOCK_PX
from sr.functional.resize import as_ratio

Measure = Callable[[np.ndarray, np.ndarray], float]  # sr and hr, (H, W, 3) uint8 without the border

MEASURES = {
    "niqe": "naturalness without a reference image, with the included pristine model; lower is better",
    "rmse": "root mean squared error of the protocol's channel, range 0 to 255; lower is better",
    "border_ratio": "pixel differences across the borders of depth-to-space blocks relative to those inside; 1 is best",
    "lpips": "distance of AlexNet features (torchmetrics); lower is better",
    "dists": "structure and texture distance of VGG16 features (torchmetrics); lower is better",
    "pi": "perceptual index ((10 - Ma) + NIQE) / 2, Ma by pyiqa, NIQE as above; lower is better",
}
NEED_BLOCKS = {"niqe", "pi"}
"""Measures that cut images into blocks of `BLOCK_PX` pixels."""
NEED_SIZE = {*NEED_BLOCKS, "border_ratio"}
"""Measures that refuse small images."""


class PerceptualScores:
    """Score upscalers on sets of images by perceptual measures.

    Args:
        names: Keys of `MEASURES`.
        protocol: Evaluation protocol, which defines the border and the channel of RMSE.
        scale: Upscaling factor.

    Raises:
        ValueError: If a measure is unknown, or its package or weights are missing.
    """

    def __init__(self, names: Sequence[str], protocol: metrics.Protocol, scale: float) -> None:
        if unknown := [name for name in checks.names("measures", names) if name not in MEASURES]:
            known = "; ".join(f"{name} ({what})" for name, what in MEASURES.items())
            raise ValueError(f"unknown measures {unknown}; known: {known}")
        self.protocol, self.scale = protocol, scale
        make = {"niqe": _niqe, "rmse": self._rmse, "lpips": _lpips, "dists": _dists, "pi": _perceptual_index}
        make["border_ratio"] = self._border_ratio
        self.measures: dict[str, Measure] = {name: make[name]() for name in names}

    def check_size(self, height: int, width: int) -> None:
        """Refuse an image that a measure cannot score.

        Args:
            height: Rows of the HR image.
            width: Columns of the HR image.

        Raises:
            ValueError: It is too small for NIQE, or has no whole block of depth-to-space.
        """
        left = min(height, width) - 2 * self.protocol.border(self.scale)
        if "border_ratio" in self.measures and left <= self._block:
            raise ValueError(f"border_ratio needs more than {self._block} pixels a side within the border, got {left}")
        if NEED_BLOCKS & self.measures.keys() and left < BLOCK_PX:
            raise ValueError(f"NIQE needs at least {BLOCK_PX} pixels a side within the border, got {max(left, 0)}")

    def evaluate(self, upscale: Upscale | None, images: Iterable[ImagePair]) -> dict[str, float]:
        """Return the mean of each measure over the images.

        Args:
            upscale: The upscaler; None scores the HR images themselves.
            images: The image pairs.

        Raises:
            ValueError: If an image cannot be scored; the message names it.
        """
        border = self.protocol.border(self.scale)
        rows = []
        for pair in images:
            height, width = pair.hr.shape[:2]
            inside = (slice(border, height - border), slice(border, width - border))
            hr = pair.hr[inside]
            sr = hr if upscale is None else upscale(pair.lr)[inside]
            try:
                rows.append([measure(sr, hr) for measure in self.measures.values()])
            except ValueError as error:
                raise ValueError(f"{pair.name}: {error}") from error
        return dict(zip(self.measures, np.mean(rows, axis=0).tolist(), strict=True))

    @property
    def _block(self) -> int:
        return as_ratio(self.scale).numerator

    def _border_ratio(self) -> Measure:
        start, channel = self.protocol.border(self.scale), self.protocol.channel
        return lambda sr, hr: border_ratio(_planes(sr, channel), self._block, start)

    def _rmse(self) -> Measure:
        def measure(sr: np.ndarray, hr: np.ndarray) -> float:
            total, count, rows = 0.0, 0, max(1, STRIP_PX // sr.shape[1])
            for top in range(0, len(sr), rows):
                a, b = (_planes(each[top : top + rows], self.protocol.channel) for each in (sr, hr))
                total, count = total + np.sum((a - b) ** 2), count + a.size
            return float(np.sqrt(total / count))

        return measure


def _planes(image: np.ndarray, channel: str) -> np.ndarray:
    return image_luma(image) if channel == "y" else image.astype(np.float64)


def _niqe() -> Measure:
    model = pristine()
    return lambda sr, hr: niqe(sr, model)


def _tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 255


def _lpips() -> Measure:
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity
    from torchvision.models import AlexNet_Weights

    try:
        net = LearnedPerceptualImagePatchSimilarity(net_type="alex", normalize=True)
    except (OSError, RuntimeError) as error:
        raise _no_weights("lpips", "AlexNet", AlexNet_Weights.IMAGENET1K_V1.url, error) from error
    return lambda sr, hr: float(net(_tensor(sr), _tensor(hr)))


def _dists() -> Measure:
    from torchmetrics.functional.image.dists import DISTSNetwork
    from torchvision.models import VGG16_Weights

    try:
        net = DISTSNetwork()  # the metric itself would load the weights for each image
    except (OSError, RuntimeError) as error:
        raise _no_weights("dists", "VGG16", VGG16_Weights.IMAGENET1K_V1.url, error) from error

    return lambda sr, hr: float(net(_tensor(sr), _tensor(hr)))


def _no_weights(measure: str, network: str, url: str, error: Exception) -> ValueError:
    return ValueError(
        f"{measure.upper()} needs {network}'s ImageNet weights, and the download failed ({error}). Download {url} on a "
        f"machine with network and copy it to {torch.hub.get_dir()}/checkpoints, or remove {measure} from `measures`"
    )


def _perceptual_index() -> Measure:
    try:
        import pyiqa
    except ImportError as error:
        raise ValueError(
            "the perceptual index needs Ma's measure from pyiqa (pip install pyiqa; it downloads its model); or remove "
            "pi from `measures` and use niqe alone"
        ) from error
    ma, other = pyiqa.create_metric("nrqm"), _niqe()
    return lambda sr, hr: ((10 - float(ma(_tensor(sr)))) + other(sr, hr)) / 2
