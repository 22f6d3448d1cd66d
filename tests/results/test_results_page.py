"""The page of the repository is what the command writes, and a page shows results, gaps and commands."""

from collections.abc import Callable
from pathlib import Path

from sr.report.published import published
from sr.results.kept_estimates import Estimates
from sr.results.kept_files import KeptResults, read_kept, reduced
from sr.results.pairing import refuse_other_protocols
from sr.results.results_page import results_page

StartRun = Callable[..., Path]


def test_the_page_in_docs_is_made_from_the_kept_files(repo_root: Path) -> None:
    kept = read_kept(repo_root / "docs/results")
    assert kept.reports, "results are kept"
    refuse_other_protocols(kept.reports, published())
    made = results_page(kept, published())
    assert (repo_root / "docs/results.md").read_text(encoding="utf-8") == made, "run python -m sr.results"


def test_kept_files_are_small_and_name_no_machine(repo_root: Path) -> None:
    files = sorted((repo_root / "docs/results").rglob("*.json"))
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert len(text) < 20_000, f"{path} is too large for version control"
        assert not any(f"{mark}/{root}/" in text for mark in ('"', "=", " ") for root in ("work", "home", "root")), path


def test_results_gaps_and_commands(started_run: StartRun, grid: Path) -> None:
    page = results_page(reduced([started_run(experiment="main", run="a"), grid]), published())
    lines = page.splitlines()
    assert "| f32-m2 | x2 | bsd100 | psnr_y_db | fp16 | 31.61 | float | 31.20 | -0.41 | 5,000 | [1](#run-1) |" in lines
    assert any(line.startswith("| f32-m3 | x2 | bsd100 | psnr_y_db | fp16, int8 | 31.72, 31.63 |") for line in lines)
    (latency,) = [line for line in lines if "| f32-m2 |" in line and "| latency ms |" in line and "| 1.14 |" in line]
    assert latency.endswith("| SA8775P 0.4 | [2](#run-2) |")
    assert '<a id="run-1"></a>1 | 0 | 5,000 |' in page and "`python -m sr.run model=quicksrnet_small`" in page
    assert page.count("not run") > 100


def test_without_results_nothing_but_gaps_is_shown() -> None:
    nothing: dict[str, Estimates] = {}
    page = results_page(KeptResults({}, nothing), published())
    assert "| f32-m2 | x2 | bsd100 | psnr_y_db | fp16, int8 | 31.61, 31.58 | not run |" in page
    assert "(#run-" not in page
