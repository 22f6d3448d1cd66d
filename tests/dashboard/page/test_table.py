"""Runs compared: the table, the marks of the charts, the page of one run."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
MakeRun = Callable[..., Path]
Open = Callable[..., Any]
Ready = Callable[[Any], None]
Names = Callable[[Any], list[str]]


def heading(page: Any, text: str) -> Any:
    return page.locator("table.runs th button", has_text=re.compile(f"^{text}$"))


def three(make_run: MakeRun) -> None:
    make_run(run="model_small", psnr=30.0, ms=10.0)
    make_run(run="model_large", psnr=32.0, ms=300.0, f=64)
    make_run(run="model_middle", psnr=31.0, ms=50.0, m=5, drop=0.5)


def test_sort_by_headings_and_filter_by_words_and_numbers(
    make_run: MakeRun, visit: Open, ready: Ready, names: Names
) -> None:
    three(make_run)
    page = visit()
    assert names(page) == ["large", "middle", "small"]  # by FP32, the best first
    heading(page, "lost").click()
    assert names(page)[0] == "middle"
    heading(page, "run").click()
    assert names(page) == ["large", "middle", "small"]
    heading(page, "run").click()
    assert names(page) == ["small", "middle", "large"]
    field = page.get_by_label("Filter runs")
    field.press_sequentially("latency_torch<100")
    page.wait_for_function("document.querySelectorAll('table.runs tbody tr').length === 2")
    assert page.evaluate("document.activeElement.id") == "filter"  # typing goes on
    field.fill("-small")
    page.wait_for_function("location.hash.includes('-small')")
    assert names(page) == ["middle", "large"]
    page.reload()
    ready(page)
    assert names(page) == ["middle", "large"]  # the address keeps filter and order


def test_seeds_fold_and_unfold(make_run: MakeRun, visit: Open, names: Names) -> None:
    for seed, psnr in ((0, 31.0), (1, 31.2)):
        make_run(run=f"model_a-seed_{seed}", seed=seed, psnr=psnr)
    page = visit()
    assert names(page) == ["a"]
    assert "31.10± 0.14" in page.locator("table.runs tbody tr").first.inner_text().replace("\t", " ")
    page.get_by_label("Fold seeds").uncheck()
    assert names(page) == ["a seed_1", "a seed_0"]


def test_a_mark_tells_its_numbers_and_opens_its_run(make_run: MakeRun, visit: Open) -> None:
    three(make_run)
    page = visit("#/compare?case=set5-x2-y&cost=latency_torch_cpu_ms")
    marks = page.locator("[data-chart=quality_latency] .mark-symbol[role=graphics-object] path")
    assert marks.count() >= 6
    target = next(mark for mark in marks.all() if "large" in (mark.get_attribute("aria-label") or ""))
    target.hover()
    page.wait_for_selector(".tooltip:not([hidden])")
    told = page.locator(".tooltip").inner_text()
    assert "large" in told and "32.00" in told and "300" in told
    target.click()
    page.wait_for_selector("h1")
    assert page.locator("h1").inner_text() == "large"
    assert page.evaluate("location.hash") == "#/run/nets%2Fmodel_large"


def test_names_cover_no_other_name_also_when_zoomed(make_run: MakeRun, visit: Open) -> None:
    three(make_run)
    page = visit("#/compare?case=bsd100-x2-y&cost=estimate_SA8775P_ms")
    shown = """() => [...document.querySelectorAll('[data-chart=quality_latency] .mark-text.role-mark text')]
      .filter((text) => text.getAttribute('opacity') !== '0' && text.getBoundingClientRect().width)
      .map((text) => { const box = text.getBoundingClientRect();
        return [text.textContent, box.left, box.top + 2, box.right, box.bottom - 2]; })"""

    def apart() -> dict[str, list[float]]:
        boxes = page.evaluate(shown)
        for index, (_, left, top, right, bottom) in enumerate(boxes):
            for _, other_left, other_top, other_right, other_bottom in boxes[:index]:
                assert right <= other_left or other_right <= left or bottom <= other_top or other_bottom <= top
        return {name: box for name, *box in boxes}

    before = apart()
    assert {"XLSR", "f32-m2", "EDSR", "large"} <= before.keys()
    page.locator("[data-chart=quality_latency] svg").hover()
    page.mouse.wheel(0, -200)
    page.wait_for_timeout(300)
    after = apart()
    assert all(after[name] != before[name] for name in after.keys() & before.keys()) and "f32-m2" in after


def test_a_row_makes_its_marks_stand_out(make_run: MakeRun, visit: Open) -> None:
    three(make_run)
    page = visit("#/compare?case=set5-x2-y")
    faint = "document.querySelectorAll('[data-chart=drops] path[opacity=\"0.15\"]').length"
    assert page.evaluate(faint) == 0
    page.locator("table.runs tbody tr").first.hover()
    page.wait_for_function(f"{faint} > 0")


def test_a_run_by_its_link(make_run: MakeRun, visit: Open) -> None:
    make_run()
    page = visit("#/run/nets%2Fmodel_a")
    text = page.locator("main").inner_text()
    for part in ("Scores", "Certificate", "simulation", "SA8775P", "Configuration", "model.f", "Image by image"):
        assert part in text
    page.goto(re.sub("#.*", "#/run/nets%2Fabsent", page.url))
    assert page.get_by_text("This page has no run nets/absent.").is_visible()


def test_the_inside_of_a_quantized_net(make_run: MakeRun, visit: Open) -> None:
    folder = make_run()
    (folder / "sensitivity").mkdir()
    activation = {
        "low": 0.0,
        "high": 1.0,
        "bits": 8,
        "float_low": 0.0,
        "float_high": 1.2,
        "cut_below": 0,
        "cut_above": 0.02,
    }
    weights = {"bits": 8, "sqnr_db": 41.5, "channel_spread": 3.5, "histogram": [1, 5, 1]}
    layers = [
        {"name": "first", "kind": "Conv2d", "alone_db": 40.0, "sqnr_db": 35.0, "activation": activation},
        {"name": "last", "kind": "Conv2d", "alone_db": 30.0, "sqnr_db": 25.0, "weights": weights},
    ]
    (folder / "sensitivity/sensitivity.json").write_text(
        json.dumps({"layers": layers, "blocks": {"bird": {"float": 0.5}}})
    )
    page = visit("#/run/nets%2Fmodel_a")
    assert page.locator("[data-chart=layer_noise] .mark-symbol path[role=graphics-symbol]").count() == 4
    assert page.locator("[data-chart=layer_ranges] .mark-rect path").count() == 1
    text = page.locator("main").inner_text()
    assert "2.000 %" in text and "41.5" in text and "bird" in text


def test_an_infinite_score_sorts_as_the_largest(make_run: MakeRun, make_score: Callable[..., Any], visit: Open) -> None:
    scores = make_score(31.0)
    scores["per_image"] = [
        {"name": name, "psnr_y_db": value, "ssim_y": 1.0}
        for name, value in (("low", 9.5), ("equal", "inf"), ("high", 40.0), ("worst", "-inf"))
    ]
    make_run(quality={"float": {"set5": scores}})
    page = visit("#/run/nets%2Fmodel_a")
    rows = page.locator("section.card", has_text="Image by image").locator("tbody tr td:first-child")
    for order in (["equal", "high", "low", "worst"], ["worst", "low", "high", "equal"]):
        page.get_by_role("button", name="float psnr y db").click()
        assert rows.all_inner_texts() == order
    assert "\N{INFINITY}" in page.locator("section.card", has_text="Image by image").inner_text()
