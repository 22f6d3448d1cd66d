"""Crops of training images for the calibration of a quantizer."""

from collections.abc import Sequence
from itertools import islice

from torch import Tensor

from sr.data.pairs import ImagePair, Selection
from sr.data.patches import PatchStream

_KEY = 1 << 64  # makes calibration crops differ from those of the first iterations


def calibration_crops(
    pairs: Sequence[ImagePair],
    *,
    num_batches: int,
    batch_size: int,
    lr_patch: int,
    scale: int | float,
    sampling: str,
    seed: int,
    weights: Sequence[float] | None = None,
) -> list[Tensor]:
    """Return batches of LR crops without augmentation, the same at every call.

    Args:
        pairs: The training images; images smaller than a crop are skipped.
        num_batches: Number of batches.
        batch_size: Crops per batch.
        lr_patch: Side of a crop in LR pixels.
        scale: HR size / LR size.
        sampling: As in `PatchStream`.
        seed: Seed of the training.
        weights: As in `PatchStream`.

    Returns:
        `num_batches` tensors (batch_size, 3, lr_patch, lr_patch), float in [0, 1].

    Raises:
        ValueError: If no training image is large enough.
    """
    fitting = [i for i, pair in enumerate(pairs) if min(pair.lr.shape[:2]) >= lr_patch]
    if not fitting:
        raise ValueError(f"no training image has {lr_patch}x{lr_patch} LR pixels for calibration; lower data.lr_patch")
    stream = PatchStream(
        pairs=Selection(pairs, fitting), scale=scale, batch_size=batch_size, lr_patch=lr_patch, seed=seed | _KEY,
        start=0, rows=(0, 1), sampling=sampling, augment=False,
        weights=None if weights is None else [weights[i] for i in fitting],
    )  # fmt: skip
    return [lr.contiguous().float() / 255 for lr, _ in islice(stream, num_batches)]
