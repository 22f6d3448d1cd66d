"""Plots and tables for papers."""

import csv
import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from sr.dashboard import theme
from sr.dashboard.content import content
from sr.dashboard.figures import draw, figure_specs, write_figures
from sr.dashboard.specification import filled
from sr.report.runs import find_runs

MakeRun = Callable[..., Path]


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]


def chart(place: Path, name: str) -> str:
    specs = dict(figure_specs(content(find_runs([place]), [place])))
    svg = draw(specs[name], "svg")
    assert isinstance(svg, str)
    return svg


def test_only_the_pareto_front_is_named(tmp_path: Path, make_run: MakeRun) -> None:
    for name, psnr, ms in (("fast", 30.0, 10), ("good", 32.0, 100), ("bad", 29.0, 120), ("middle", 31.0, 30)):
        make_run(run=f"model_{name}", psnr=psnr, ms=ms, f=int(ms))
    named = texts(chart(tmp_path, "quality-latency_torch_cpu_ms-set5-x2-y-psnr_y_db"))
    assert {"fast", "middle", "good"} <= set(named)
    assert "bad" not in named


def test_a_failed_net_does_not_squeeze_the_axis_and_is_said(tmp_path: Path, make_run: MakeRun) -> None:
    for index in range(6):
        make_run(run=f"model_n{index}", psnr=31 + index / 10, ms=100 + index, f=8 + index)
    make_run(run="model_failed", psnr=9.0, ms=102)
    shown = texts(chart(tmp_path, "quality-latency_torch_cpu_ms-set5-x2-y-psnr_y_db"))
    assert "failed 9.00" in shown
    numbers = [float(text) for text in shown if text.replace(".", "", 1).isdigit()]
    assert min(numbers) > 25  # the least tick of the quality; costs begin at 100


def test_published_points_are_seen_though_no_run_is_of_their_net(tmp_path: Path, make_run: MakeRun) -> None:
    make_run()
    svg = chart(tmp_path, "quality-estimate_SA8775P_ms-bsd100-x2-y-psnr_y_db")
    assert {"XLSR", "FSRCNN", "f32-m2"} <= set(texts(svg))
    assert svg.count(f'stroke="{theme.GREY["light"]}"') >= 20


def boxes_of(svg: str, word: str = "") -> list[tuple[float, float, float, float]]:
    """About what the names in a plot cover that hold a word: left, top, right, bottom."""
    marks = [node for node in ElementTree.fromstring(svg).iter() if "mark-text role-mark" in node.get("class", "")]
    boxes = []
    for text in (node for mark in marks for node in mark.iter("{http://www.w3.org/2000/svg}text")):
        if word not in "".join(text.itertext()):
            continue
        x, y = (float(number) for number in re.findall(r"[\d.]+", text.get("transform", "")))
        width = 5 * len("".join(text.itertext()))
        left = x - {"start": 0, "middle": 0.5, "end": 1}[text.get("text-anchor", "start")] * width
        boxes.append((left, y - 4, left + width, y + 4))
    return boxes


def none_covers_another(boxes: list[tuple[float, float, float, float]]) -> None:
    for index, (left, top, right, bottom) in enumerate(boxes):
        assert not [b for b in boxes[:index] if left < b[2] and b[0] < right and top < b[3] and b[1] < bottom]


def test_names_of_published_points_cover_no_other(tmp_path: Path, make_run: MakeRun) -> None:
    make_run()
    boxes = boxes_of(chart(tmp_path, "quality-estimate_SA8775P_ms-bsd100-x2-y-psnr_y_db"))
    assert len(boxes) > 12
    none_covers_another(boxes)


def test_names_of_failed_nets_cover_no_other(tmp_path: Path, make_run: MakeRun) -> None:
    for index in range(16):
        make_run(run=f"model_n{index}", psnr=31 + index / 10, ms=50 + 10 * index, f=8 + index)
    for index in range(4):
        make_run(run=f"model_failed{index}", psnr=9.0 + index, ms=100 + 4 * index, f=100 + index)
    boxes = boxes_of(chart(tmp_path, "quality-latency_torch_cpu_ms-set5-x2-y-psnr_y_db"), "failed")
    assert len(boxes) > 1
    none_covers_another(boxes)


def test_drops_are_the_numbers_of_the_runs(tmp_path: Path, make_run: MakeRun) -> None:
    make_run(run="model_a", drop=0.25)
    make_run(run="model_b", drop=1.5, m=5)
    shown = texts(chart(tmp_path, "drops-set5-x2-y-psnr_y_db"))
    assert {"0.25", "1.50"} <= set(shown)
    assert shown.index("b") < shown.index("a")  # the worst first


def test_files_of_every_kind(tmp_path: Path, make_run: MakeRun) -> None:
    make_run(sets=("set5",), psnr=31.25)
    files = {path.name: path for path in write_figures(find_runs([tmp_path]), tmp_path / "figures", ["png", "svg"])}
    assert Image.open(files["drops-set5-x2-y-psnr_y_db.png"]).width > 1000
    assert "quality-estimate_SA8775P_ms-set5-x2-y-ssim_y.svg" in files and "curve-val-psnr_y_db.svg" in files
    rows = list(csv.DictReader(io.StringIO(files["tables.csv"].read_text())))
    assert rows[0]["float_psnr_y_db"] == "31.25"
    assert "\\begin{tabular}" in files["tables.tex"].read_text()
    assert files["tables.md"].read_text().startswith("**set5 x2, protocol y: PSNR in dB**")


def test_nothing_to_draw_and_unknown_formats_are_said(tmp_path: Path, make_run: MakeRun) -> None:
    with pytest.raises(ValueError, match="no run is finished"):
        list(write_figures(find_runs([tmp_path]), tmp_path / "figures", ["svg"]))
    make_run()
    with pytest.raises(ValueError, match="svg, png, pdf, got gif"):
        list(write_figures(find_runs([tmp_path]), tmp_path / "figures", ["gif"]))


def test_blanks_are_told_apart_by_their_whole_name() -> None:
    assert filled({"a": "@{x}", "b": "@{x_title} is @{x}", "c": "@{unknown}"}, {"x": 1, "x_title": 'a "b"'}) == {
        "a": 1,
        "b": 'a "b" is 1',
        "c": "@{unknown}",
    }
