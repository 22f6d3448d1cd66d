"""The perception-distortion plane as a still picture (SVG): PSNR to the right, NIQE upwards, a panel a test set.

Source: Blau and Michaeli, "The perception-distortion tradeoff", arXiv 1711.06077; better is to the right and below.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from sr.report.record import psnr_key
from sr.report.runs import Run

_WIDTH, _HEIGHT, _MARGIN, _NAMES = 640, 400, 60, 560  # of a panel, around its axes, of the names beside it, in pixels
COLOURS = {"bicubic": "#888888", "float": "#1f77b4", "simulated": "#d62728"}


class Point(NamedTuple):
    """One net on one test set."""

    label: str
    stage: str
    psnr_db: float
    niqe: float


def points(runs: Sequence[Run]) -> dict[str, list[Point]]:
    """Return every score with a NIQE by protocol, set and scale, bicubic once: {"bsd100 x4, protocol y": [...]}."""
    found: dict[str, list[Point]] = {}
    for report in (run.report for run in runs if run.report):
        for stage, sets in report.quality.items():
            for name, score in sets.items():
                key = psnr_key(score)
                if key and "niqe" in score and stage in COLOURS:
                    label = stage if stage == "bicubic" else report.run
                    point = Point(label, stage, float(score[key]), float(score["niqe"]))
                    if not (math.isfinite(point.psnr_db) and math.isfinite(point.niqe)):
                        continue  # equal images have an infinite PSNR, which no axis can show
                    panel = found.setdefault(f"{name} x{report.scale:g}, protocol {score['protocol']}", [])
                    if point not in panel:
                        panel.append(point)
    return found


def plane(runs: Sequence[Run]) -> str:
    """Draw the panels below each other.

    Raises:
        ValueError: no run has a NIQE.
    """
    panels = points(runs)
    if not panels:
        raise ValueError("no run has a NIQE to draw; run with measures=[niqe] (task=gan does)")
    drawn = [_panel(title, each, index * _HEIGHT) for index, (title, each) in enumerate(panels.items())]
    size = f'width="{_WIDTH + _NAMES}" height="{_HEIGHT * len(panels)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *drawn, "</svg>", ""])


def _panel(title: str, panel: Sequence[Point], top: int) -> str:
    across, up = ([getattr(point, name) for point in panel] for name in ("psnr_db", "niqe"))
    left, right, low, high = *_range(across), *_range(up)
    width, height = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
    parts = [
        f'<g transform="translate({_MARGIN},{top + _MARGIN})">',
        f'<text y="-20" font-size="14">{escape(title)}</text>',
        f'<path d="M0 0V{height}H{width}" fill="none" stroke="black"/>',
        f'<text x="{width / 2}" y="{height + 40}" text-anchor="middle">PSNR, dB</text>',
        f'<text transform="translate(-45,{height / 2}) rotate(-90)" text-anchor="middle">NIQE (lower is better)</text>',
    ]
    for share in (0, 0.5, 1):
        x, y = width * share, height * (1 - share)
        parts.append(
            f'<text x="{x:g}" y="{height + 18}" text-anchor="middle">{left + share * (right - left):.2f}</text>'
        )
        parts.append(f'<text x="-6" y="{y + 4:g}" text-anchor="end">{low + share * (high - low):.2f}</text>')
    names = list(dict.fromkeys(point.label for point in panel))
    for label, stage, psnr_db, niqe in panel:
        x, y = width * (psnr_db - left) / (right - left), height * (high - niqe) / (high - low)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{COLOURS[stage]}"/>')
        parts.append(f'<text x="{x + 5:.1f}" y="{y - 5:.1f}" font-size="10">{names.index(label) + 1}</text>')
    for line, name in enumerate(names):
        parts.append(f'<text x="{width + 20}" y="{15 * line}" font-size="10">{line + 1} {escape(name)}</text>')
    for line, (stage, colour) in enumerate(COLOURS.items()):
        parts.append(f'<text x="{line * 70}" y="-4" font-size="10" fill="{colour}">{stage}</text>')
    return "\n".join([*parts, "</g>"])


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis, a tenth wider than the values."""
    spare = 0.1 * (max(values) - min(values)) or max(0.5, abs(values[0]) / 100)
    return min(values) - spare, max(values) + spare
