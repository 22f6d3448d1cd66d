"""The notebooks run from top to bottom as scripts, and their numbers are what they say."""

import runpy
from pathlib import Path

import pytest
from PIL import Image

NOTEBOOKS = Path(__file__).parents[2] / "docs/notebooks"


def test_every_notebook_is_in_the_percent_format():
    paths = sorted(NOTEBOOKS.glob("*.py"))
    assert {path.stem for path in paths} == {"load_quicksrnet", "own_net", "sesr_pruning"}, (
        "a new notebook needs its own test here"
    )
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert "format_name: percent" in text and text.count("# %%") >= 4 and "# %% [markdown]\n# # " in text


def test_a_pretrained_net_is_loaded_and_scored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = runpy.run_path(str(NOTEBOOKS / "load_quicksrnet.py"))
    assert names["large"].shape == (800, 1200, 3)
    scores = names["scores"]
    assert scores["FP32"] > scores["bicubic (Pillow)"] + 1.5 and abs(scores["FP32"] - scores["INT8"]) < 0.1
    assert Image.open(tmp_path / "crop.png").size == (400, 100)


def test_pruning_draws_scores_and_kernels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SR_OUTPUTS", str(tmp_path))  # the notebook sets it, and this undoes it
    text = (NOTEBOOKS / "sesr_pruning.py").read_text(encoding="utf-8")
    for usual, tiny in (("ROUNDS = 10", "ROUNDS = 2"), ("ITERATIONS = 5050", "ITERATIONS = 110")):
        assert text.count(usual) == 1
        text = text.replace(usual, tiny)
    names = {"__name__": "notebook"}
    exec(compile(text, "sesr_pruning.py", "exec"), names)
    assert [round(each) for each in names["sparsity"]] == [0, 20, 36]
    assert names["zeros"][0] == 0 < names["zeros"][1] < names["zeros"][2]
    assert all(Image.open(tmp_path / name).width > 500 for name in ("scores.png", "kernels.png"))


@pytest.mark.slow
@pytest.mark.aimet
def test_an_own_net_gets_its_certificate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = runpy.run_path(str(NOTEBOOKS / "own_net.py"))
    assert names["after"] > names["before"]
    assert (tmp_path / "kit/certificate.json").is_file()
    assert all(row["holds"] for row in names["certificate"]["closeness"])
