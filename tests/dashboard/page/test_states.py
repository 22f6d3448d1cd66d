"""What a page may meet: many runs, none, torn reports, hostile names, dark rooms, runs that finish meanwhile."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sr.dashboard.content import content
from sr.dashboard.serve import Live, server
from sr.report.runs import find_runs

pytestmark = pytest.mark.browser
MakeRun = Callable[..., Path]
Open = Callable[..., Any]
Ready = Callable[[Any], None]
Names = Callable[[Any], list[str]]


def test_a_hundred_runs_open_in_two_seconds(make_run: MakeRun, visit: Open, ready: Ready) -> None:
    for index in range(100):
        make_run(run=f"model_{index}", psnr=28 + index / 50, f=8 + index, ms=10.0 + index)
    page = visit()
    # The page's own processor time until table and charts stand: on a busy machine the clock tells of others' work.
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.reload()
    ready(page)
    assert page.locator("table.runs tbody tr").count() == 100
    assert page.locator("[data-chart=drops] .mark-rect path").count() == 100
    spent = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    assert 0.05 < spent["TaskDuration"] < 2


def test_an_empty_folder_and_unreadable_runs(tmp_path: Path, make_run: MakeRun, visit: Open, names: Names) -> None:
    assert "No runs under" in visit().locator("main").inner_text()
    make_run()
    (tmp_path / "nets/model_torn").mkdir()
    (tmp_path / "nets/model_torn/report.json").write_text('{"a": <b>')
    page = visit()
    shown = page.locator(".notice.bad").inner_text()
    assert "torn" in shown and "report.json is not JSON" in shown
    assert names(page) == ["a", "torn"]


def test_hostile_names_are_shown_as_they_are(make_run: MakeRun, visit: Open, names: Names) -> None:
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


def test_colours_are_turned_and_kept(make_run: MakeRun, visit: Open, ready: Ready) -> None:
    make_run()
    page = visit(color_scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="Dark or light").click()
    ready(page)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_a_served_page_shows_a_run_that_finishes_meanwhile(
    tmp_path: Path, make_run: MakeRun, visit: Open, names: Names
) -> None:
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
