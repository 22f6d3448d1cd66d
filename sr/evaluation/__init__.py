"""Evaluation of nets: whole-image inference, colour handling, scores under a protocol.

Names are imported at their first use: scores need torchmetrics, whose import takes longer than to upscale an image.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sr.evaluation.perceptual_scores import PerceptualScores
    from sr.evaluation.score import ImageScore, Score, add_score, check_color, evaluate
    from sr.evaluation.tiles import upscale_tiled
    from sr.evaluation.upscaler import Upscale, Upscaler, to_network, upscaler

_PLACES = {
    "ImageScore": "score",
    "PerceptualScores": "perceptual_scores",
    "Score": "score",
    "Upscale": "upscaler",
    "Upscaler": "upscaler",
    "add_score": "score",
    "check_color": "score",
    "evaluate": "score",
    "to_network": "upscaler",
    "upscale_tiled": "tiles",
    "upscaler": "upscaler",
}
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
    "upscale_tiled",
    "upscaler",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
