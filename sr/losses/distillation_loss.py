"""What a student learns of a teacher: its output, mixed with the true image, and where its features are strong."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from sr.models.net import Net


def check_share(setting: str, share: float) -> float:
    """Return the share of a loss that is measured against the teacher.

    Args:
        setting: its name, for the message.
        share: in [0, 1].

    Raises:
        ValueError: outside of it.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"{setting} is a share in [0, 1], got {share}")
    return share


def check_pair(net: Net, teacher: Net) -> None:
    """Refuse a teacher whose images cannot be compared with the student's.

    Raises:
        ValueError: it is for another scale or colour.
    """
    if teacher.scale != net.scale:
        raise ValueError(
            f"the teacher is for x{teacher.scale:g} and the student for x{net.scale:g}; give a teacher of that scale, "
            f"or set scale={teacher.scale:g}"
        )
    if teacher.color != net.color:
        raise ValueError(
            f"the teacher upscales {teacher.color} and the student {net.color}; give both one color "
            "(SESR has model=sesr_rgb_* and sesr_*)"
        )


def mixed(loss: Callable[[Tensor, Tensor], Tensor], sr: Tensor, hr: Tensor, taught: Tensor, share: float) -> Tensor:
    """(1 - share) * loss(sr, hr) + share * loss(sr, taught).

    Args:
        loss: (sr, target) -> scalar.
        sr: of the student, (N, C, H, W) in [0, 1].
        hr: the true image, likewise.
        taught: of the teacher, likewise.
        share: in [0, 1].

    >>> mixed(F.l1_loss, torch.zeros(1), torch.ones(1), torch.full((1,), 0.5), 0.5).item()
    0.75
    """
    return torch.lerp(loss(sr, hr), loss(sr, taught), share)


def attention_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference of two feature maps' attention, that is of their energy by place, as unit vectors.

    It has no parameters and takes any two counts of channels.

    Args:
        student: features (N, C, h, w).
        teacher: features (N, D, h, w).

    Returns:
        A scalar, zero where both are strong at the same places.

    Raises:
        ValueError: features of different size.

    Source: attention transfer (arXiv 1612.03928), equation 2, with squares and a mean over places.

    >>> attention_distance(torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.0, 3.0]]]])).item()
    1.0
    """
    if student.shape[-2:] != teacher.shape[-2:]:
        raise ValueError(
            f"features of {tuple(student.shape)} and {tuple(teacher.shape)} cannot be matched: give layers of one "
            "height and width"
        )
    ours, theirs = (F.normalize(each.float().square().mean(1).flatten(1), dim=1) for each in (student, teacher))
    return F.mse_loss(ours, theirs)
