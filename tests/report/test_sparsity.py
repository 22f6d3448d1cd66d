"""Pruned runs: the rounds of all seeds side by side, and drawn."""

import io

import numpy as np
import pytest
from PIL import Image

from sr.report.command import main
from sr.report.render import markdown
from sr.report.runs import find_runs
from sr.report.sparsity import pruned_groups, sparsity_picture, sparsity_tables


def rounds(start):
    return [
        {"round": i, "sparsity": sparsity, "psnr_y_db": start - loss, "iterations": 200 * (i + 1),
         "curve": [[100, start - 2 - loss], [200, start - loss]]}
        for i, (sparsity, loss) in enumerate([(0.0, 0.0), (0.2, -0.1), (0.36, 0.2)])
    ]  # fmt: skip


@pytest.fixture
def runs(make_run):
    for seed, start in ((0, 35.0), (1, 35.2)):
        made = {"iterations": 600, "rounds": rounds(start)}
        folder = make_run(experiment="prune", run=f"seed_{seed}", training=made, config={"seed": seed})
    return find_runs([folder.parent])


def test_seeds_are_one_table_with_the_difference_from_dense(runs):
    (table,) = sparsity_tables(runs)
    assert [row["sparsity"] for row in table.rows] == pytest.approx([0, 20, 36])
    assert [row["psnr"] for row in table.rows] == pytest.approx([35.1, 35.2, 34.9])
    assert [row["gain"] for row in table.rows] == pytest.approx([0, 0.1, -0.2])
    assert [row["seed_1"] for row in table.rows] == pytest.approx([0, 0.1, -0.2])


def test_the_picture_has_three_plots(runs):
    picture = np.asarray(Image.open(io.BytesIO(sparsity_picture(runs))).convert("L"))
    thirds = np.array_split(picture, 3, axis=1)
    assert all((third < 100).mean() > 0.003 for third in thirds), "an empty plot"


def test_the_command_draws_and_prints(tmp_path, runs, capsys):
    folder = str(runs[0].folder.parent)
    assert main([folder, "--sparsity", str(tmp_path / "a.png"), "--format", "markdown"]) == 0
    assert "+0.100" in capsys.readouterr().out
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_without_a_pruned_run_the_message_says_how_to_make_one():
    with pytest.raises(ValueError, match="no finished run was pruned; task=pruning prunes"):
        pruned_groups([])


@pytest.mark.parametrize("infinite", [[0], [0, 1, 2]])
def test_infinite_scores_are_shown_and_left_out_of_the_picture(make_run, infinite):
    scored = rounds(35.0)
    for index in infinite:
        scored[index] |= {"psnr_y_db": "inf", "curve": [[100, 30.0], [200, "inf"]]}
    folder = make_run(experiment="prune", run="equal", training={"iterations": 600, "rounds": scored})
    found = find_runs([folder])
    (table,) = sparsity_tables(found)
    assert [row["psnr"] for row in table.rows].count(float("inf")) == len(infinite)
    assert "nan" not in markdown([table])
    assert Image.open(io.BytesIO(sparsity_picture(found))).size[0] > 1000
