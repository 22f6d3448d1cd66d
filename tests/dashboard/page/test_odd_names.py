"""Names with quotes, backslashes and brackets: every chart is drawn with them, in the page and in files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sr.dashboard.content import content
from sr.dashboard.figures import draw, figure_specs
from sr.report.runs import find_runs

ODD = """it's [a] 'b' "c" \\d {e} .f, @{x} $&"""


@pytest.fixture
def odd_run(make_run: Callable[..., Path], make_score: Callable[..., dict[str, Any]], tmp_path: Path) -> Path:
    """Write two runs in which every name that a chart may use is odd."""
    rounds = [{"sparsity": at, "psnr_y_db": 30.0 - at, "iterations": 9, "curve": [[1, 2.0]]} for at in (0.0, 0.5)]
    sets = {f"set {ODD}": make_score(31.0, **{ODD: 0.5, "niqe": 4.0})}
    for index in range(2):
        folder = make_run(
            experiment="nets",
            run=f"model_{index} {ODD.replace('/', '')}",
            quality={"bicubic": sets, "float": sets, "simulated": sets, ODD: sets},
            cost={"parameters": 1000 + index, "macs_g": 2.0, ODD: 4.0, f"{ODD}_": {"median_ms": 3.0}},
            training={"iterations": 10, "seconds": 1.0, "rounds": rounds},
            export={"hexagon": {"estimates": [{"chip": ODD, "estimate_us": 900.0}]}},
            stage_seconds={ODD: 3.0},
        )
        log = folder / "logs/version_0/metrics.csv"
        quoted = ODD.replace('"', '""')
        log.write_text(f'step,"train/{quoted}"\n10,1.0\n20,0.5\n')
    return tmp_path


def test_every_plot_of_a_paper_is_drawn(odd_run: Path) -> None:
    plots = dict(figure_specs(content(find_runs([odd_run]), [odd_run])))
    assert {name.split("-")[0] for name in plots} >= {"quality", "drops", "curve", "sparsity"}
    for name, spec in plots.items():
        svg = draw(spec, "svg")
        assert isinstance(svg, str) and svg.count("<path") > 3, name


@pytest.mark.browser
def test_every_chart_of_the_page_is_drawn(odd_run: Path, visit: Callable[..., Any]) -> None:
    page = visit()
    shown = content(find_runs([odd_run]), [odd_run])
    costs = [f"#/compare?cost={axis['key']}" for axis in shown["axes"]]
    assert len(costs) == 3
    views = [*costs, "#/training", "#/pruning", f"#/run/{quote(shown['runs'][0]['id'], safe='')}"]
    for view in views:
        page.evaluate("(view) => { location.hash = view; }", view)
        page.wait_for_function("document.querySelectorAll('.chart').length > 0")
        page.wait_for_function("document.querySelectorAll('.chart:not([data-ready])').length === 0")
        assert page.locator(".notice.bad").count() == 0, view
        for chart in page.locator(".chart").all():
            assert chart.locator("svg path").count() > 3, view
