"""Cut the crops of training images that a quantizer is calibrated on."""

from collections.abc import Sequence
from itertools import islice

from torch import Tensor

from sr.data.pairs import ImagePair, Selection
from sr.data.patches import PatchStream

_KEY = 1 << 64  # a key of its own, so that calibration crops are not those of the first iterations


def calibration_crops(
    pairs: Sequence[ImagePair],
    *,
    num_batches: int,
    batch_size: int,
    lr_patch: int,
    scale: int | float,
    sampling: str,
    seed: int,
) -> list[Tensor]:
    """Return batches of LR crops, the same ones at every call, not turned.

    Args:
        pairs: the training images; those smaller than a crop are left out.
        num_batches: how many batches.
        batch_size: crops a batch.
        lr_patch: pixels per side of a crop.
        scale: of the pairs.
        sampling: as `PatchStream` takes it.
        seed: of the training.

    Returns:
        `num_batches` tensors (batch_size, 3, lr_patch, lr_patch), float in [0, 1].

    Raises:
        ValueError: no training image is as large as that.
    """
    fitting = [i for i, pair in enumerate(pairs) if min(pair.lr.shape[:2]) >= lr_patch]
    if not fitting:
        raise ValueError(f"no training image has {lr_patch}x{lr_patch} LR pixels for calibration; lower its lr_patch")
    stream = PatchStream(
        pairs=Selection(pairs, fitting), scale=scale, batch_size=batch_size, lr_patch=lr_patch, seed=seed | _KEY,
        start=0, stride=1, sampling=sampling, augment=False,
    )  # fmt: skip
    return [lr.contiguous().float() / 255 for lr, _ in islice(stream, num_batches)]
