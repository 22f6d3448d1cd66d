"""Ours beside published, as the page's chart gets it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sr.dashboard.content import content
from sr.report.runs import find_runs

MakeRun = Callable[..., Path]


def trained(place: Path) -> list[dict[str, Any]]:
    """The pairs of nets that were trained, of one table."""
    pairs = content(find_runs([place]), [place])["pairs"]
    return [pair for pair in pairs if "PSNR" in pair["table_title"] and pair["name"] != "bicubic"]


def test_runs_of_one_name_keep_their_own_label_and_family(tmp_path: Path, make_run: MakeRun) -> None:
    make_run("one")
    make_run("two")
    pairs = trained(tmp_path)
    assert {pair["name"] for pair in pairs} == {f"{e}/model_a {p}" for e in ("one", "two") for p in ("FP32", "INT8")}
    assert {pair["family"] for pair in pairs} == {"quicksrnet"}


def test_seeds_keep_the_family_of_their_net(tmp_path: Path, make_run: MakeRun) -> None:
    for seed in (0, 1):
        make_run(run=f"model_a-seed_{seed}", seed=seed, psnr=31 + seed)
    pairs = trained(tmp_path)
    assert {(pair["name"], pair["family"]) for pair in pairs} == {("a FP32", "quicksrnet"), ("a INT8", "quicksrnet")}


def test_an_infinite_psnr_has_no_place_in_the_chart(
    tmp_path: Path, make_run: MakeRun, make_score: Callable[..., dict[str, Any]]
) -> None:
    for seed, psnr in ((0, 31.0), (1, float("inf"))):
        make_run(run=f"model_a-seed_{seed}", seed=seed, quality={"float": {"bsd100": make_score(psnr)}})
    assert trained(tmp_path) == []
