"""Knowledge distillation losses: on the teacher's output, and on its attention maps."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from sr.models.net import Net


def check_share(setting: str, share: float) -> float:
    """Return the teacher's share of a loss if it is in [0, 1].

    Args:
        setting: Name of the setting, for the error message.
        share: Weight of the teacher's output as target, in [0, 1].

    Raises:
        ValueError: If the share is outside [0, 1].

    Example:
        >>> check_share("task.teacher.share", 0.5)
        0.5
    """
    if not 0 <= share <= 1:
        raise ValueError(f"{setting} must be in [0, 1], got {share}")
    return share


def check_pair(net: Net, teacher: Net) -> None:
    """Raise ValueError if teacher and student differ in scale or color.

    Args:
        net: The student.
        teacher: The teacher.

    Raises:
        ValueError: If the teacher has another scale or color.
    """
    if teacher.scale != net.scale:
        raise ValueError(
            f"the teacher is for x{teacher.scale:g} and the student for x{net.scale:g}; give a teacher for "
            f"x{net.scale:g}, or set scale={teacher.scale:g}"
        )
    if teacher.color != net.color:
        raise ValueError(
            f"the teacher upscales {teacher.color} and the student {net.color}; give two nets of the same color "
            "(SESR has model=sesr_rgb_* and sesr_*)"
        )


def mixed(loss: Callable[[Tensor, Tensor], Tensor], sr: Tensor, hr: Tensor, taught: Tensor, share: float) -> Tensor:
    """Return (1 - share) * loss(sr, hr) + share * loss(sr, taught).

    Args:
        loss: Function (sr, target) -> scalar.
        sr: Output of the student, (N, C, H, W) in [0, 1].
        hr: HR images, same shape.
        taught: Output of the teacher, same shape.
        share: Weight of the teacher's output as target, in [0, 1].

    Returns:
        A scalar.

    Example:
        >>> mixed(F.l1_loss, torch.zeros(1), torch.ones(1), torch.full((1,), 0.5), 0.5).item()
        0.75
    """
    return torch.lerp(loss(sr, hr), loss(sr, taught), share)


def attention_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the attention transfer loss: the mean squared difference of two normalized attention maps.

    The attention map of features is the mean of their squares over channels, flattened and scaled to unit length. The
    numbers of channels may differ, and the loss has no parameters.

    Args:
        student: Features of the student, (N, C, h, w).
        teacher: Features of the teacher, (N, D, h, w).

    Returns:
        A scalar, at least 0; 0 for equal attention maps.

    Raises:
        ValueError: If height or width differ.

    Source: attention transfer (arXiv 1612.03928), equation 2, with squares and a mean over pixels.

    Example:
        >>> attention_distance(torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.0, 3.0]]]])).item()
        1.0
    """
    if student.shape[-2:] != teacher.shape[-2:]:
        raise ValueError(
            f"features of {tuple(student.shape)} and {tuple(teacher.shape)} cannot be compared: give two layers with "
            "the same height and width"
        )
    first, second = (F.normalize(each.float().square().mean(1).flatten(1), dim=1) for each in (student, teacher))
    return F.mse_loss(first, second)
