"""The page in a real browser: headless Chromium, driven by Playwright."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sr.dashboard.__main__ import main
from sr.dashboard.content import content
from sr.dashboard.serve import Live, server
from sr.report.runs import find_runs

pytestmark = pytest.mark.browser
MakeRun = Callable[..., Path]
Open = Callable[..., Any]
READY = "document.querySelectorAll('.chart:not([data-ready]), .viewer:not([data-ready])').length === 0"


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Write the page of `tmp_path` and open it at an address; an error in its script fails the test."""
    contexts, errors = [], []

    def go(address: str = "", *, url: str = "", **settings: Any) -> Any:
        if not url:
            assert main([str(tmp_path), "--to", str(tmp_path / "page.html"), "--side", "0"]) == 0
            url = (tmp_path / "page.html").as_uri()
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | settings))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(url + address)
        page.wait_for_function(READY)
        return page

    yield go
    for context in contexts:
        context.close()
    assert errors == []


def names(page: Any) -> list[str]:
    return page.locator("table.runs tbody tr td:first-child a").all_inner_texts()


def heading(page: Any, text: str) -> Any:
    return page.locator("table.runs th button", has_text=re.compile(f"^{text}$"))


def three(make_run: MakeRun) -> None:
    make_run(run="model_small", psnr=30.0, ms=10.0)
    make_run(run="model_large", psnr=32.0, ms=300.0, f=64)
    make_run(run="model_middle", psnr=31.0, ms=50.0, m=5, drop=0.5)


def test_sort_by_headings_and_filter_by_words_and_numbers(make_run: MakeRun, visit: Open) -> None:
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
    page.wait_for_function(READY)
    assert names(page) == ["middle", "large"]  # the address keeps filter and order


def test_seeds_fold_and_unfold(make_run: MakeRun, visit: Open) -> None:
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
    assert page.get_by_text("There is no run nets/absent in this page.").is_visible()


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


def pictured(make_run: MakeRun, make_pictures: Callable[..., None]) -> None:
    make_pictures(make_run(run="model_a"), noise=0)
    make_pictures(make_run(run="model_b", m=5), noise=60)


def column(page: Any, share: float) -> list[int]:
    """The colour of the viewer's canvas at a share of its width, half way down."""
    return page.evaluate(
        """(share) => { const canvas = document.querySelector('.viewer canvas');
        return [...canvas.getContext('2d').getImageData(canvas.width * share, canvas.height / 2, 1, 1).data]; }""",
        share,
    )


LAYERS = "a=nets%2Fmodel_a%7Cfloat&b=nets%2Fmodel_b%7Cfloat"


def test_the_slider_is_moved_by_mouse_and_keys(
    make_run: MakeRun, make_pictures: Callable[..., None], visit: Open
) -> None:
    pictured(make_run, make_pictures)
    page = visit(f"#/pictures?{LAYERS}&x=68&y=28&zoom=8")  # all of what is seen is in the spot of noise
    handle = page.get_by_role("slider")
    before = column(page, 0.25), column(page, 0.75)
    assert before[0] != before[1]
    handle.focus()
    for _ in range(3):
        page.keyboard.press("PageUp")
    assert handle.get_attribute("aria-valuenow") == "80"
    box = page.locator(".viewer").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 30, steps=4)
    page.mouse.up()
    assert handle.get_attribute("aria-valuenow") == "10"
    after = column(page, 0.25)
    assert after != before[0]  # here B is seen now
    assert "split=0.1" in page.url
    page.reload()
    page.wait_for_function(READY)
    assert page.get_by_role("slider").get_attribute("aria-valuenow") == "10"
    assert column(page, 0.25) == after


def test_zoom_is_shared_by_all_pictures(make_run: MakeRun, make_pictures: Callable[..., None], visit: Open) -> None:
    pictured(make_run, make_pictures)
    page = visit("#/pictures?mode=all")
    assert page.locator(".tile").count() == 7  # LR, bicubic, two runs in FP32 and INT8, HR
    hashes = """() => [...document.querySelectorAll('.tile canvas')].map((canvas) => canvas.toDataURL())"""
    before = page.evaluate(hashes)
    page.locator(".tile .viewer").first.hover()
    page.mouse.wheel(0, -400)
    page.wait_for_function("location.hash.includes('zoom=')")
    after = page.evaluate(hashes)
    assert all(one != two for one, two in zip(before, after, strict=True))
    page.get_by_role("button", name="whole").click()
    page.wait_for_function("location.hash.includes('zoom=1.00')")


def test_differences_and_blocks_are_maps_with_a_scale(
    make_run: MakeRun, make_pictures: Callable[..., None], visit: Open
) -> None:
    pictured(make_run, make_pictures)
    page = visit(f"#/pictures?mode=difference&limit=32&{LAYERS}&x=68&y=28&zoom=8")
    assert column(page, 0.5)[:3] == [255, 234, 70]  # 60 LSB are beyond the end of the scale
    page.get_by_label("Scale ends at").select_option("automatic")
    page.wait_for_function(READY)
    assert page.locator(".scalebar").inner_text().split()[-4:] == ["64", "LSB", "of", "luma"]
    page.get_by_role("button", name="Blocks").click()
    page.wait_for_function(READY)
    assert "block pattern 0.00 LSB" in page.locator(".note").first.inner_text()  # A is HR itself


def test_on_a_phone_nothing_is_wider_than_the_screen_and_fingers_work(
    make_run: MakeRun, make_pictures: Callable[..., None], visit: Open
) -> None:
    pictured(make_run, make_pictures)
    phone = {"viewport": {"width": 375, "height": 700}, "has_touch": True, "is_mobile": True}
    wide = "document.documentElement.scrollWidth"
    for address in ("#/compare", "#/training", "#/published", "#/run/nets%2Fmodel_a"):
        assert visit(address, **phone).evaluate(wide) <= 375, address
    page = visit(f"#/pictures?{LAYERS}", **phone)
    assert page.evaluate(wide) <= 375
    page.get_by_role("button", name="whole").tap()
    page.wait_for_function("location.hash.includes('zoom=1.00')")
    finger = """(places) => { const viewer = document.querySelector('.viewer');
      viewer.setPointerCapture = () => {};
      const box = viewer.getBoundingClientRect();
      const send = (kind, id, x, y) => viewer.dispatchEvent(new PointerEvent(kind, { pointerId: id, bubbles: true,
        pointerType: 'touch', clientX: box.left + x * box.width, clientY: box.top + y * box.height }));
      send('pointerdown', 1, 0.45, 0.5); send('pointerdown', 2, 0.55, 0.5);
      send('pointermove', 2, 0.85, 0.5); send('pointerup', 1, 0.45, 0.5); send('pointerup', 2, 0.85, 0.5); }"""
    page.evaluate(finger)
    page.wait_for_function("Number(new URLSearchParams(location.hash.split('?')[1]).get('zoom')) > 3")


def test_a_hundred_runs_open_in_two_seconds(make_run: MakeRun, visit: Open) -> None:
    for index in range(100):
        make_run(run=f"model_{index}", psnr=28 + index / 50, f=8 + index, ms=10.0 + index)
    page = visit()
    # The page's own processor time until table and charts stand: on a busy machine the clock tells of others' work.
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.reload()
    page.wait_for_function(READY)
    assert page.locator("table.runs tbody tr").count() == 100
    assert page.locator("[data-chart=drops] .mark-rect path").count() == 100
    spent = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    assert 0.05 < spent["TaskDuration"] < 2


def test_an_empty_folder_and_unreadable_runs(tmp_path: Path, make_run: MakeRun, visit: Open) -> None:
    assert "No runs under" in visit().locator("main").inner_text()
    make_run()
    (tmp_path / "nets/model_torn").mkdir()
    (tmp_path / "nets/model_torn/report.json").write_text('{"a": <b>')
    page = visit()
    shown = page.locator(".notice.bad").inner_text()
    assert "torn" in shown and "report.json is not JSON" in shown
    assert names(page) == ["a", "torn"]


def test_hostile_names_are_shown_as_they_are(make_run: MakeRun, visit: Open) -> None:
    name = "model_<img src=x onerror=window.hit=1>"
    make_run(run=name, training={"iterations": 10, "<script>window.hit=1<,script>": "<b>bold</b>"})
    for address in ("", "#/training", "#/published", "#/run/nets%2F<img src=x onerror=window.hit=1>"):
        page = visit(address)
        assert page.evaluate("[window.hit, document.images.length, document.querySelectorAll('b').length]") == [
            None,
            0,
            0,
        ]
    page = visit()
    assert names(page) == ["<img src=x onerror=window.hit=1>"]
    page.locator("table.runs a").click()
    page.wait_for_selector("h1")
    assert "<b>bold</b>" in page.locator("main").inner_text()


def test_colours_are_turned_and_kept(make_run: MakeRun, visit: Open) -> None:
    make_run()
    page = visit(color_scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="Dark or light").click()
    page.wait_for_function(READY)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_a_served_page_shows_a_run_that_finishes_meanwhile(tmp_path: Path, make_run: MakeRun, visit: Open) -> None:
    make_run()

    def make() -> Any:
        return content(find_runs([tmp_path]), [tmp_path]) | {"refresh_s": 0.2}, []

    serving = server(Live([tmp_path], make), "127.0.0.1", 0)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    page = visit("/", url=f"http://127.0.0.1:{serving.server_address[1]}")
    assert names(page) == ["a"]
    make_run(run="model_b", psnr=33.0, m=5)
    page.wait_for_function("document.querySelectorAll('table.runs tbody tr').length === 2")
    assert names(page) == ["b", "a"]
    time.sleep(0.5)  # further questions are answered with "nothing new"
    assert names(page) == ["b", "a"]
    page.close()  # it would say that the server is gone
    serving.shutdown()
    serving.server_close()
