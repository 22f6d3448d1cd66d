"""The perception-distortion plane: which points, where, and what is said when there is none."""

from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from sr.report.plane import plane, points


def run(name: str, psnr: float, niqe: float | None) -> SimpleNamespace:
    extra = {} if niqe is None else {"niqe": niqe}
    score = {"protocol": "y", "num_images": 5, "psnr_y_db": psnr, **extra}
    bicubic = {**score, "psnr_y_db": 26.0, **({"niqe": 9.0} if extra else {})}
    quality = {"bicubic": {"set5": bicubic}, "float": {"set5": score}}
    return SimpleNamespace(report=SimpleNamespace(run=name, scale=4.0, quality=quality))


def test_bicubic_stands_once_and_better_is_lower() -> None:
    runs = [run("pixel", 27.0, 7.5), run("gan <a>", 26.5, 6.0), run("none", 27.0, None)]
    assert [point.label for point in points(runs)["set5 x4, protocol y"]] == ["bicubic", "pixel", "gan <a>"]
    drawn = ElementTree.fromstring(plane(runs))
    circles = [each for each in drawn.iter() if each.tag.endswith("circle")]
    x, y = ([float(circle.get(name)) for circle in circles] for name in ("cx", "cy"))
    assert x[0] < x[2] < x[1] and y[0] < y[1] < y[2], "SVG counts rows downwards"


def test_without_a_niqe_the_message_says_how_to_get_one() -> None:
    with pytest.raises(ValueError, match=r"measures=\[niqe\]"):
        plane([run("none", 27.0, None)])
