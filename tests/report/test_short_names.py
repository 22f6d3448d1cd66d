"""Names of runs that started from runs that started from runs: short, and still apart."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from sr.report.render import markdown, screen
from sr.report.run_labels import labels
from sr.report.runs import Run
from sr.report.short_names import ROOM, short_name
from sr.report.table import status_table
from sr.runs.folders import run_name

FIRST = "model_quicksrnet_small-scale_2"


def chain(length: int) -> list[tuple[str, str | None]]:
    """Names of runs, each of which starts from the one before, with that."""
    found: list[tuple[str, str | None]] = [(FIRST, None)]
    for step in range(length):
        init = f"outputs/release/{found[-1][0]}"
        overrides = ["model=quicksrnet_small", f"init={init}", "scale=2", f"train.iterations={1000 * step}"]
        found.append((run_name(overrides), init))
    return found


def runs(names: list[tuple[str, str | None]]) -> list[Run]:
    folder = Path("outputs/release")
    return [
        Run(folder=folder / name, status="unfinished", config={"init": init} if init else {}) for name, init in names
    ]


def test_a_chain_of_runs_is_told_by_its_links():
    names = chain(4)
    short = [short_name(*each) for each in names]
    assert len({*short}) == 5 and all(len(each) <= ROOM for each in short)
    assert short[0] == FIRST
    assert short[1].startswith(f"model_quicksrnet_small ~{names[1][0][-8:]}") and short[1].endswith(" from scale_2")
    assert short[3] == f"model_quicksrnet_small ~{names[3][0][-8:]} from ~{names[2][0][-8:]}"  # and the link before it


def test_the_dashboard_calls_a_chain_by_its_links():
    names = chain(4)
    told = labels(runs(names))
    assert len({*told.values()}) == 5 and all(len(each) <= ROOM for each in told.values())
    assert f"from ~{names[2][0][-8:]}" in told[f"release/{names[3][0]}"]


def test_two_runs_from_one_start_that_were_cut_alike_keep_their_hashes():
    init = f"outputs/release/{chain(2)[-1][0]}"
    names = [(run_name(["model=quicksrnet_small", f"init={init}", f"seed={seed}"]), init) for seed in (1, 2)]
    told = labels(runs(names))
    assert all(f" ~{name[-8:]}" in told[f"release/{name}"] for name, _ in names)


@pytest.mark.parametrize("init", ["pretrained/quicksrnet_small", "a/b/model_x/float/weights.safetensors", "/"])
def test_any_start_has_a_name(init):
    name = run_name(
        ["model=quicksrnet_small", f"init={init}", "optimizer.lr=0.00125", "train.iterations=40000", "seed=3"]
    )
    assert len(short_name(name, init)) <= ROOM + 10  # net, hash and start are always told


def test_only_the_screen_shortens():
    (name, init) = chain(3)[-1]
    table = status_table(runs([(name, init)]))
    console = Console(width=300, record=True, file=io.StringIO())
    console.print(screen(table, console))
    assert short_name(name, init) in (text := console.export_text()) and name not in text
    assert name.replace("_", r"\_") in markdown([table]) or name in markdown([table])
