"""Evaluation of nets: whole-image inference, colour handling, scores under a protocol.

Scores are imported at their first use: torchmetrics takes longer to import than an image to upscale.
"""

import importlib
from typing import TYPE_CHECKING, Any

from sr.evaluation.upscaler import Upscale, Upscaler, to_network, upscaler

if TYPE_CHECKING:
    from sr.evaluation.perceptual_scores import PerceptualScores
    from sr.evaluation.score import ImageScore, Score, add_score, check_color, evaluate

_LAZY = {"PerceptualScores": "perceptual_scores"} | dict.fromkeys(
    ("ImageScore", "Score", "add_score", "check_color", "evaluate"), "score"
)
__all__ = [
    "ImageScore",
    "PerceptualScores",
    "Score",
    "Upscale",
    "Upscaler",
    "add_score",
    "check_color",
    "evaluate",
    "to_network",
    "upscaler",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
