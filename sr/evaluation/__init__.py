"""Evaluation of nets: whole-image inference, colour handling, scores under a protocol."""

from sr.evaluation.perceptual_scores import PerceptualScores
from sr.evaluation.score import ImageScore, Score, add_score, check_color, evaluate
from sr.evaluation.tiles import upscale_tiled
from sr.evaluation.upscaler import Upscale, Upscaler, to_network, upscaler

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
