"""Hundreds of runs: time and size of report and dashboard. Limits are for a busy machine; see the measured figures.

Of 1000 real runs on an idle machine: report 4 s (before: 30), dashboard 7 s (38), page 3 MB (43).
"""

import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sr.dashboard.content import content
from sr.dashboard.page import render
from sr.dashboard.pictures import Budget, pictures
from sr.dashboard.serve import Live
from sr.report.command import tables_of
from sr.report.render import print_tables
from sr.report.runs import find_runs
from tests.dashboard.many_runs import many_runs

MakeRun = Callable[..., Path]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 runs, of which a tenth is unfinished."""
    from tests.dashboard.conftest import write_run

    place = tmp_path_factory.mktemp("sweep")
    many_runs(write_run(place, "real", "one"), place / "many", 300, each_unfinished=10)
    return place / "many"


def seconds(work: Callable[[], object]) -> float:
    """Time of the processor, as other processes take theirs."""
    start = time.process_time()
    work()
    return time.process_time() - start


def test_a_report_takes_milliseconds_a_run(sweep: Path) -> None:
    console = Console(file=io.StringIO(), width=240)
    made = seconds(
        lambda: print_tables(tables_of(find_runs([sweep]), compare=False, fold_seeds=False), "text", console)
    )
    assert console.file.getvalue().count("model.f_8-model.m_2-seed_0 ") == 3
    assert made < 6


def test_a_page_grows_by_kilobytes_a_run(sweep: Path, unpack_runs: Any) -> None:
    pages: list[str] = []
    made = seconds(lambda: pages.append(render(content(find_runs([sweep]), [sweep]), [])))
    assert made < 9 and len(pages[0].encode()) < 0.9e6 + 300 * 7000


def test_a_served_page_reads_only_what_changed(tmp_path: Path, sweep: Path, unpack_runs: Any) -> None:
    many_runs(sweep / "model.f_8-model.m_2-seed_0", tmp_path / "own", 100)
    live = Live([tmp_path], lambda: (content(find_runs([tmp_path]), [tmp_path]), []))
    first = seconds(lambda: live.answer("/content.json"))
    report = next(iter(sorted(tmp_path.glob("own/*/report.json"))))
    changed = json.loads(report.read_text())
    changed["quality"]["float"]["set5"]["psnr_y_db"] = 99.25
    report.write_text(json.dumps(changed))
    again = seconds(lambda: live.answer("/content.json"))
    assert again < min(first, 2)
    assert b"99.25" in live.answer("/content.json")[1]


def test_of_hundred_runs_with_pictures_only_what_changed_is_read(
    tmp_path: Path, sweep: Path, make_pictures: Callable[..., None], unpack_runs: Any
) -> None:
    many_runs(sweep / "model.f_8-model.m_2-seed_0", tmp_path / "own", 100)
    folders = sorted((tmp_path / "own").iterdir())
    for noise, folder in enumerate(folders):
        make_pictures(folder, noise=noise % 40)

    def make() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        runs = find_runs([tmp_path])
        return content(runs, [tmp_path]), pictures(runs, side=64, budget=Budget(left=10**9))

    live = Live([tmp_path], make)
    before = json.loads(live.answer("/pictures.json")[1])
    assert sum(len(entry["layers"]) for entry in before) == 200
    for change in ("report.json", "images/set5_bird/float.png"):
        again = (folders[0] / change).read_bytes()
        (folders[0] / change).write_bytes(again + b"\n")
        (folders[0] / "images/images.json").touch()
        assert seconds(lambda: live.answer("/content.json")) < 1
        assert json.loads(live.answer("/pictures.json")[1]) == before
