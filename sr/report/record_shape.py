"""Kinds of the values that readers take from a report, so that a damaged one is refused where it is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sr.config.checks import as_typed
from sr.config.kinds import Anything, Kind, Many, Named, Number, Optional, Text, Whole

PSNR_KEY = re.compile(r"psnr_\w+_db")
SSIM_KEY = re.compile(r"ssim_\w+")
PERCEPTUAL_KEYS = ("niqe", "hr_niqe", "rmse", "border_ratio", "lpips", "dists", "pi", "flicker")


@dataclass(frozen=True)
class Decibels:
    """Number, or one of the texts that stand for numbers which JSON lacks: "inf", "-inf", "nan"."""

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is a number or such a text."""
        if value not in ("inf", "-inf", "nan") and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ValueError(f"{key} must be a number, got {as_typed(value)}")


@dataclass(frozen=True)
class Open:
    """Mapping with values of known kinds at some keys, beside which any other key may stand."""

    fields: Mapping[str, Kind]
    required: tuple[str, ...] = ()

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is such a mapping and has all required keys."""
        Named(Anything(), tuple(self.fields.items())).check(key, value)
        if missing := [name for name in self.required if name not in value]:
            raise ValueError(f"{key} must have {', '.join(missing)}, got {sorted(value)}")


@dataclass(frozen=True)
class ImageScores:
    """Mapping with a PSNR, whose scores are numbers."""

    required: tuple[str, ...] = ()

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is such a mapping, has all required keys, and its scores are numbers."""
        Named(Anything()).check(key, value)
        has_psnr = any(PSNR_KEY.fullmatch(name) for name in value)
        if not has_psnr or any(name not in value for name in self.required):
            needed = ", ".join([*self.required, "a PSNR with its channel and unit (psnr_y_db)"])
            raise ValueError(f"{key} must have {needed}, got {sorted(value)}")
        for name, score in value.items():
            if PSNR_KEY.fullmatch(name) or SSIM_KEY.fullmatch(name) or name in PERCEPTUAL_KEYS:
                Decibels().check(f"{key}.{name}", score)


@dataclass(frozen=True)
class SetScores(ImageScores):
    """Scores of a test set, with those of its images."""

    required: tuple[str, ...] = ("protocol", "num_images")

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the scores of the set and of each image are numbers."""
        super().check(key, value)
        Many(ImageScores()).check(f"{key}.per_image", value.get("per_image", []))


@dataclass(frozen=True)
class CurvePoint:
    """Pair of an iteration and a score."""

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is such a pair."""
        Many(Anything(), length=2).check(key, value)
        Number(least=0).check(f"{key}[0]", value[0])
        Decibels().check(f"{key}[1]", value[1])


@dataclass(frozen=True)
class PruningRound(ImageScores):
    """Scores of a round of pruning, with its sparsity and its curve."""

    required: tuple[str, ...] = ("sparsity", "iterations", "curve")

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless all of these are numbers."""
        super().check(key, value)
        Open({"sparsity": Number(), "iterations": Whole(0), "curve": Many(CurvePoint())}).check(key, value)


OPTIONAL_MAPPING = Optional(Named(Anything()))
ROWS = Optional(Many(Named(Anything())))
CONFIG_KIND = Open(
    {
        **dict.fromkeys(("model", "export", "train", "loss", "optimizer"), OPTIONAL_MAPPING),
        "scale": Number(above=0),
        "task": Optional(Open({"teacher": OPTIONAL_MAPPING})),
        "data": Optional(Open({"root": Optional(Text(empty=True)), "sources": ROWS})),
        "quantization": Optional(Open({"chain": Optional(Many(Text()))})),
        **dict.fromkeys(("init", "blend"), Optional(Text(empty=True))),
    },
    required=("scale",),
)
ENGINE_KIND = Open({"latency": Open({"median_ms": Number()}, ("median_ms",)), "latency_ms": Number()})
PHONE_KIND = Open({"name": Text(), "latency_ms": Open({"median": Number()})}, ("name", "latency_ms"))
EXPORT_KIND = Open(
    {
        "hexagon": Optional(Open({"estimates": Optional(Many(Open({"chip": Text(), "estimate_us": Number()})))})),
        "engines": Optional(Named(ENGINE_KIND)),
        "phones": Optional(Many(PHONE_KIND)),
        "links": ROWS,
        "closeness": ROWS,
        "files": Optional(Named(Named(Anything()))),
    }
)
REPORT_KINDS: dict[str, Kind] = {
    "config": CONFIG_KIND,
    "git": Open({"commit": Optional(Text())}),
    "versions": Named(Text()),
    "data": Named(Anything()),
    "training": Open({"rounds": Optional(Many(PruningRound()))}),
    "quality": Named(Named(SetScores())),
    **dict.fromkeys(("cost", "made_by", "skipped"), Named(Anything())),
    "export": EXPORT_KIND,
    "stage_seconds": Named(Number()),
    **dict.fromkeys(("experiment", "run", "protocol"), Text()),
}
"""Field of a report -> its kind."""
