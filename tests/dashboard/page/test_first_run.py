"""The page of one run: pictures first, what was proved, axes that do not stretch the last digit, wide tables."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
MakeRun = Callable[..., Path]
Open = Callable[..., Any]

FORMS = {
    "links": [{"first": "simulation", "second": "crd", "max_lsb": 2, "max_share": None, "largest_lsb": 1,
               "differing_share": 0.001, "holds": True}],
    "closeness": [{"first": "htp_v73", "second": "simulation", "max_db": 0.1, "difference_db": 0.004, "holds": True}],
}  # fmt: skip


@pytest.fixture
def page(make_run: MakeRun, make_pictures: Callable[..., None], visit: Open) -> Any:
    make_pictures(make_run(psnr=34.604, drop=0.014, ms=1.99941, export=FORMS), noise=60)
    return visit()


def test_pictures_stand_first_with_two_dividers(page: Any) -> None:
    viewer = page.locator("main .viewer.several")
    assert viewer.bounding_box()["y"] < page.locator("main .chart").first.bounding_box()["y"]
    assert viewer.locator(".tag").all_inner_texts() == ["bicubic", "INT8", "true"]
    handles = page.get_by_role("slider")
    assert [handles.nth(index).get_attribute("aria-valuenow") for index in (0, 1)] == ["33", "67"]
    handles.nth(0).focus()
    page.keyboard.press("End")  # up to its neighbour, not beyond
    assert [handles.nth(index).get_attribute("aria-valuenow") for index in (0, 1)] == ["67", "67"]
    assert viewer.locator(".tag:visible").all_inner_texts() == ["bicubic", "true"]
    colours = """(share) => { const canvas = document.querySelector('.viewer.several canvas');
      return [...canvas.getContext('2d').getImageData(canvas.width * share, 5, 1, 1).data]; }"""
    assert page.evaluate(colours, 0.5) != [0, 0, 0, 0]


def test_one_sentence_says_what_was_proved(page: Any) -> None:
    assert page.locator(".first .holds").inner_text() == (
        "Proved: the HTP v73 emulator computes what the trained INT8 net does, within 0.004 dB of PSNR; "
        "all 2 comparisons of the certificate hold."
    )
    assert "bicubic 29.56 · FP32 34.60 · INT8 34.59 dB" in page.locator(".first .lead").inner_text()


def test_bicubic_is_a_line_and_the_axes_are_readable(page: Any) -> None:
    chart = page.locator("[data-chart=quality_latency]")
    assert "bicubic 29.56 dB" in (chart.text_content() or "")
    labels = [
        text for axis in chart.locator(".role-axis-label").all() for text in axis.locator("text").all_text_contents()
    ]
    assert len(labels) > 6 and not [text for text in labels if len(re.sub(r"\D", "", text)) > 4], labels


def test_a_table_wider_than_the_page_says_so(make_run: MakeRun, visit: Open) -> None:
    make_run()
    narrow = visit(viewport={"width": 390, "height": 800})
    outer = narrow.locator(".scrolled:has(table.runs)")
    assert "more-right" in outer.get_attribute("class") and "more-left" not in outer.get_attribute("class")
    assert narrow.get_by_text("wider than the page").first.is_visible()
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390
    narrow.locator(".scroll:has(table.runs)").evaluate("(each) => { each.scrollLeft = 1e6; }")
    narrow.wait_for_function("document.querySelector('.scrolled').classList.contains('more-left')")
    assert "more-right" not in outer.get_attribute("class")


def test_two_runs_are_compared_as_before(make_run: MakeRun, make_pictures: Callable[..., None], visit: Open) -> None:
    make_pictures(make_run(run="model_a"), noise=60)
    make_pictures(make_run(run="model_b"), noise=30)
    page = visit()
    assert page.locator(".viewer").count() == 0 and page.get_by_text("Fold seeds").count() == 1
