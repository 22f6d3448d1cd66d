"""What PSNR and SSIM do not see: NIQE, RMSE as the perception-distortion plane has it, LPIPS, the perceptual index."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch

from sr import metrics
from sr.config import checks
from sr.data.pairs import ImagePair
from sr.evaluation.pristine import niqe, pristine
from sr.evaluation.upscaler import Upscale
from sr.functional.color import image_luma

Measure = Callable[[np.ndarray, np.ndarray], float]  # sr and hr, (H, W, 3) uint8, border cut off

MEASURES = {
    "niqe": "how unnatural, without a look at the true image; against our own pristine model; lower is better",
    "rmse": "root of the mean squared error of the protocol's channel, in bytes; lower is better",
    "lpips": "distance in AlexNet's features (torchmetrics); lower is better",
    "pi": "perceptual index ((10 - Ma) + NIQE) / 2, Ma by pyiqa's port and NIQE our own; lower is better",
}


class PerceptualScores:
    """Score upscalers on sets of images by chosen measures; what a measure needs is looked for at once.

    Args:
        names: of `MEASURES`.
        protocol: whose border is cut off, and whose channel RMSE is taken of.
        scale: upscaling factor.

    Raises:
        ValueError: an unknown measure, or one whose package or weights are missing; the message says what to do.
    """

    def __init__(self, names: Sequence[str], protocol: metrics.Protocol, scale: float) -> None:
        if unknown := [name for name in checks.names("measures", names) if name not in MEASURES]:
            known = "; ".join(f"{name} ({what})" for name, what in MEASURES.items())
            raise ValueError(f"unknown measures {unknown}; known: {known}")
        self.protocol, self.scale = protocol, scale
        make = {"niqe": _niqe, "rmse": self._rmse, "lpips": _lpips, "pi": _perceptual_index}
        self.measures: dict[str, Measure] = {name: make[name]() for name in names}

    def evaluate(self, upscale: Upscale | None, images: Iterable[ImagePair]) -> dict[str, float]:
        """Mean over images of each measure; of the true images themselves where `upscale` is None.

        Raises:
            ValueError: an image that cannot be measured, named.
        """
        border = self.protocol.border(self.scale)
        rows = []
        for pair in images:
            hr = pair.hr[border:-border, border:-border]
            sr = hr if upscale is None else upscale(pair.lr)[border:-border, border:-border]
            try:
                rows.append([measure(sr, hr) for measure in self.measures.values()])
            except ValueError as error:
                raise ValueError(f"{pair.name}: {error}") from error
        return dict(zip(self.measures, np.mean(rows, axis=0).tolist(), strict=True))

    def _rmse(self) -> Measure:
        def measure(sr: np.ndarray, hr: np.ndarray) -> float:
            a, b = (_planes(each, self.protocol.channel) for each in (sr, hr))
            return float(np.sqrt(np.mean((a - b) ** 2)))

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

    try:
        net = LearnedPerceptualImagePatchSimilarity(net_type="alex", normalize=True)
    except (OSError, RuntimeError) as error:
        from torchvision.models import AlexNet_Weights

        raise ValueError(
            f"LPIPS needs AlexNet's ImageNet weights and cannot get them ({error}). Fetch "
            f"{AlexNet_Weights.IMAGENET1K_V1.url} on a machine with network and put it into {torch.hub.get_dir()}"
            "/checkpoints, or leave lpips out of `measures`"
        ) from error
    return lambda sr, hr: float(net(_tensor(sr), _tensor(hr)))


def _perceptual_index() -> Measure:
    try:
        import pyiqa
    except ImportError as error:
        raise ValueError(
            "the perceptual index needs Ma's measure, which pyiqa has (pip install pyiqa; it fetches its model); or "
            "leave pi out of `measures`, niqe is its other half"
        ) from error
    ma, other = pyiqa.create_metric("nrqm"), _niqe()
    return lambda sr, hr: ((10 - float(ma(_tensor(sr)))) + other(sr, hr)) / 2
