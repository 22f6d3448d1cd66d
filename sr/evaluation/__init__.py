"""From a net and a set of images to a score: whole-image inference, colour handling, named protocols."""

from sr.evaluation.perceptual_scores import PerceptualScores
from sr.evaluation.score import ImageScore, Score, check_color, evaluate, score_pair
from sr.evaluation.tiles import upscale_tiled
from sr.evaluation.upscaler import Upscale, Upscaler, to_network, upscaler

__all__ = [
    "ImageScore",
    "PerceptualScores",
    "Score",
    "Upscale",
    "Upscaler",
    "check_color",
    "evaluate",
    "score_pair",
    "to_network",
    "upscale_tiled",
    "upscaler",
]
