"""Nothing is written or deleted outside its place, whatever a name says."""

import os
import shutil
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf
from omegaconf.errors import InterpolationResolutionError

from sr.config.targets import build_node
from sr.dashboard.figures import write_figures
from sr.experiment import compose
from sr.export.publish import CERTIFICATE, clear
from sr.models.weights import FLOAT_WEIGHTS, save_weights
from sr.pretrained import load
from sr.pretrained.add import add
from sr.report.runs import find_runs
from sr.runs.files import read_json, write_json

NAMES = ["", ".", "..", "../x", "/tmp/x", "a/b", "a\\b", "a\nb", "a\x1b[2Jb", "-x", ".git", "x" * 300]
SCORE = {"psnr_y_db": 31.2, "ssim_y": 0.9, "num_images": 5, "protocol": "y", "per_image": []}


NET = {
    "_target_": "sr.models.quicksrnet.QuickSRNet", "f": 4, "m": 0, "scale": 2, "activation": "relu1",
    "init": "random", "identity_x1_5": "fixed", "residual": "none", "upscaling": "space_to_depth",
    "overparameterize": "none",
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a finished run of a small net, without its export."""
    folder = tmp_path / "sent" / "main" / "run"
    save_weights(build_node(NET), folder / FLOAT_WEIGHTS, {})
    report = {
        "experiment": "main", "run": "run", "status": "finished", "schema_version": 1, "protocol": "y",
        "config": {"scale": 2, "init": None, "model": NET, "quantization": {"name": "w8a8"}},
        "quality": {"float": {"set5": SCORE}}, "training": {"iterations": 5, "seconds": 1.5}, "cost": {},
        "data": {}, "versions": {}, "git": {}, "export": {}, "stage_seconds": {},
    }  # fmt: skip
    write_json(folder / "report.json", report)
    (folder / ".hydra").mkdir()
    (folder / ".hydra/overrides.yaml").write_text("- scale=2")
    return folder


def edit(run: Path, change) -> None:
    report = read_json(run / "report.json")
    change(report)
    write_json(run / "report.json", report)


def snapshot(folder: Path) -> set[Path]:
    return {*folder.rglob("*")}


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_a_shipped_net_has_a_folder_of_its_own(run: Path, tmp_path: Path, name: str):
    before = snapshot(tmp_path)
    with pytest.raises(ValueError, match=r"^--name is a name of one folder, got "):
        add(run, name, tmp_path / "nets")
    assert snapshot(tmp_path) == before


def test_an_absolute_name_deletes_nothing(run: Path, tmp_path: Path):
    precious = tmp_path / "precious_x2"
    precious.mkdir()
    (precious / "thesis.tex").write_text("years")
    with pytest.raises(ValueError, match=r"^--name is a name of one folder"):
        add(run, str(tmp_path / "precious"), tmp_path / "nets")
    assert (precious / "thesis.tex").read_text() == "years"


@pytest.mark.parametrize("name", [name for name in NAMES if name], ids=repr)
def test_the_name_of_a_sent_scheme_names_no_file_elsewhere(run: Path, tmp_path: Path, name: str):
    edit(run, lambda report: report.update(export={"certificate": {}}))
    edit(run, lambda report: report["config"]["quantization"].update(name=name))
    before = snapshot(tmp_path)
    with pytest.raises(ValueError, match="the name of the quantization is a name of one folder, got "):
        add(run, "net", tmp_path / "nets")
    assert snapshot(tmp_path) - before == {tmp_path / "nets", tmp_path / ".nets.lock"}


def test_a_link_in_a_sent_run_is_not_shipped(run: Path, tmp_path: Path):
    (tmp_path / "secret").write_text("key")
    edit(run, lambda report: report.update(export={"certificate": {}}))
    (run / "export/aimet").mkdir(parents=True)
    (run / "export/aimet/net.onnx").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match=r"'export/aimet/net.onnx' is not inside of"):
        add(run, "net", tmp_path / "nets")


def test_commands_of_a_card_are_one_line_each_and_safe_to_type(run: Path, tmp_path: Path):
    (run / ".hydra/overrides.yaml").write_text("- scale=2\n- init=a; rm -rf ~\n- experiment=$(id)\n")
    add(run, "net", tmp_path / "nets")
    card = read_json(tmp_path / "nets/net_x2/card.json")
    assert card["commands"] == ["python -m sr.run scale=2 'init=a; rm -rf ~' 'experiment=$(id)'"]
    for text in ('- "a\\nb"', "a: b", "- [a]", '- "\\e[2J"'):
        (run / ".hydra/overrides.yaml").write_text(text)
        with pytest.raises(ValueError, match=r"overrides.yaml is not a list of one-line settings"):
            add(run, "net", tmp_path / "nets")
    assert load("net", scale=2, nets=tmp_path / "nets").scale == 2, "the net of before is whole"


def test_a_run_that_says_it_started_from_itself_ends(run: Path, tmp_path: Path):
    edit(run, lambda report: report["config"].update(init=str(run)))
    with pytest.raises(ValueError, match="the run starts from itself"):
        add(run, "net", tmp_path / "nets")


def test_an_experiment_is_a_folder_of_outputs(monkeypatch):
    config = compose([], with_hydra=True)
    monkeypatch.setattr(HydraConfig.instance(), "cfg", config)
    for name in [*NAMES, None]:
        config.experiment = name
        for key in ("hydra.run.dir", "hydra.sweep.subdir"):
            with pytest.raises(
                InterpolationResolutionError,
                match=r"ValueError raised while resolving interpolation: experiment is a name of one folder, got ",
            ):
                OmegaConf.select(config, key)
    config.experiment = "main"
    assert OmegaConf.select(config, "hydra.run.dir").endswith("outputs/main/default")


def test_figures_of_sent_names_lie_in_their_folder(run: Path, tmp_path: Path):
    pytest.importorskip("vl_convert")
    edit(
        run,
        lambda report: report.update(quality={"float": {name: SCORE for name in ("../x", "../x!", "/tmp/a\n\x1bb")}}),
    )
    edit(run, lambda report: report.update(cost={"parameters": 5, "macs_g": 1.5}))
    logs = run / "logs/version_0/metrics.csv"
    logs.parent.mkdir(parents=True)
    logs.write_text("step,loss/../../y\n1,0.5\n2,0.4\n")
    before = snapshot(tmp_path)
    files = list(write_figures(find_runs([run]), tmp_path / "figures", ["svg"]))
    assert len(set(files)) == len(files) > 3
    assert snapshot(tmp_path) - before == {tmp_path / "figures", *files}
    assert all(path.parent == tmp_path / "figures" and path.name.isprintable() for path in files)


@pytest.mark.parametrize("name", ["../precious", "/absolute", "link/precious"])
def test_a_sent_certificate_deletes_only_files_of_the_export(tmp_path: Path, name: str):
    folder, precious = tmp_path / "run/export", tmp_path / "precious"
    folder.mkdir(parents=True)
    precious.write_text("years")
    (tmp_path / "run/precious").write_text("years")
    (folder / "link").symlink_to(tmp_path)
    name = str(precious) if name == "/absolute" else name
    write_json(folder / CERTIFICATE, {"files": {"pixels.onnx": {}, name: {}}})
    with pytest.raises(ValueError, match="is not inside of"):
        clear(folder)
    assert precious.is_file() and (tmp_path / "run/precious").is_file()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts processes by fork, which this system lacks")
def test_a_kill_while_a_net_is_added_leaves_the_old_or_the_new_one(run: Path, tmp_path: Path):
    import multiprocessing
    import random
    import time

    nets, other = tmp_path / "nets", tmp_path / "other"
    shutil.copytree(run, other)
    edit(other, lambda report: report["training"].update(iterations=6))
    add(run, "net", nets)

    def add_both(ready) -> None:
        while True:
            for each in (other, run):
                add(each, "net", nets)
                ready.set()

    chance, fork, seen = random.Random(0), multiprocessing.get_context("fork"), set()
    for _ in range(10):
        ready = fork.Event()
        process = fork.Process(target=add_both, args=(ready,))
        process.start()
        assert ready.wait(60)
        time.sleep(chance.uniform(0, 0.03))
        process.kill()
        process.join()
        assert load("net", scale=2, nets=nets).scale == 2
        seen.add(
            read_json(next(nets.glob("net_x2/card.json"), nets / ".net_x2.old/card.json"))["training"]["iterations"]
        )
    assert seen <= {5, 6}
    add(run, "net", nets)
    assert [path.name for path in nets.iterdir()] == ["net_x2"], "the next one removes what a kill left"
