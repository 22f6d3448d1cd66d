"""The page as a file: whole, small, and with nothing in it that a run folder's name could turn into markup."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from sr.dashboard.content import content
from sr.dashboard.page import embedded, render
from sr.report.runs import find_runs

MakeRun = Callable[..., Path]
HOSTILE = "</script><img src=x onerror=alert(1)>"


class Tags(HTMLParser):
    """Counts the elements of a page, and keeps the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "action")]


def page_of(place: Path) -> str:
    return render(content(find_runs([place]), [place]), [])


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="content">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_hostile_names_stay_texts(tmp_path: Path, make_run: MakeRun, unpack_runs: Any) -> None:
    plain = Tags(page_of(tmp_path)).found
    # A folder's name holds no slash; every other text of a run does.
    folder = make_run(experiment="<b>x<!--", run="model_<img src=x onerror=alert(1)>")
    report = json.loads((folder / "report.json").read_text())
    report["config"]["quantization"]["name"] = HOSTILE
    report["versions"][HOSTILE] = HOSTILE
    (folder / "report.json").write_text(json.dumps(report))
    page = page_of(tmp_path)
    assert Tags(page).found == plain
    (run,) = unpack_runs(data_of(page))
    assert run["versions"][HOSTILE] == HOSTILE
    assert run["id"] == "<b>x<!--/model_<img src=x onerror=alert(1)>"


def test_the_page_needs_nothing_else(tmp_path: Path, make_run: MakeRun) -> None:
    make_run()
    page = page_of(tmp_path)
    assert all(address.startswith(("data:", "#")) for address in Tags(page).addresses)
    assert "default-src 'none'" in page
    assert page.count("sha256-") == 2


def test_json_in_a_script_cannot_end_it() -> None:
    text = embedded({"a": "</script><!--\u2028&"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": "</script><!--\u2028&"}


def test_a_hundred_runs_stay_small(tmp_path: Path, make_run: MakeRun) -> None:
    for index in range(100):
        make_run(run=f"model_{index}", psnr=28 + index / 50, f=8 + index)
    page = page_of(tmp_path)
    assert len(data_of(page)["runs"]) == 100
    assert len(page.encode()) < 4e6  # of which the chart library is 0.9; the limit is 15


def test_every_state_of_a_run_is_told_and_no_number_is_lost(
    tmp_path: Path, make_run: MakeRun, make_score: Callable[..., dict[str, Any]]
) -> None:
    make_run(quality={"float": {"set5": make_score(float("inf"))}})
    for name, file, text in (
        ("torn", "report.json", "{"), ("failed", "failed.json", '{"error": "ValueError: no images"}'),
        ("begun", "config.yaml", "scale: 2\nprotocol: y\n"), ("odd", "config.yaml", "- 1\n"),
    ):  # fmt: skip
        (tmp_path / "nets" / name).mkdir()
        (tmp_path / "nets" / name / file).write_text(text)
    shown = content(find_runs([tmp_path]), [tmp_path])
    states = {run["run"]: (run["status"], run["error"]) for run in shown["runs"]}
    assert states["failed"] == ("failed", "ValueError: no images")
    assert states["torn"][0] == "broken" and "report.json is not JSON" in states["torn"][1]
    assert (states["begun"][0], states["odd"][0]) == ("unfinished", "unfinished")
    assert "float_psnr_y_db" not in shown["slices"][0]["rows"][0]  # infinite: no axis can show it


def test_rounds_of_pruning_are_found_wherever_a_report_holds_them(tmp_path: Path, make_run: MakeRun) -> None:
    rounds = [{"sparsity": 0.36, "psnr_y_db": 30.1}, {"sparsity": 0.2, "psnr_y_db": 30.4}]
    make_run(training={"iterations": 10, "pruning": {"rounds": rounds}})
    found = content(find_runs([tmp_path]), [tmp_path])["rounds"]
    assert [(each["sparsity"], each["quality"]) for each in found] == [(0.2, 30.4), (0.36, 30.1)]


def test_a_round_with_an_infinite_score_is_no_point_of_a_chart(tmp_path: Path, make_run: MakeRun) -> None:
    make_run(training={"pruning": [{"sparsity": 0.2, "psnr_y_db": "inf"}, {"sparsity": 0.5, "psnr_y_db": 30.0}]})
    found = content(find_runs([tmp_path]), [tmp_path])["rounds"]
    assert [each["sparsity"] for each in found] == [0.5]


def test_results_of_other_stages_are_taken_along(tmp_path: Path, make_run: MakeRun) -> None:
    folder = make_run()
    (folder / "quantized").mkdir()
    (folder / "quantized/sensitivity.json").write_text('{"layers": [{"name": "conv", "sqnr_db": 30}]}')
    (run,) = content(find_runs([tmp_path]), [tmp_path])["runs"]
    assert run["extra"]["quantized/sensitivity.json"]["layers"][0]["sqnr_db"] == 30
