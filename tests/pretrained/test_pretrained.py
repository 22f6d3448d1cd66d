"""A finished run becomes a shipped net, which is found, loaded and used by name and scale."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sr.cost.count import count_parameters
from sr.experiment import build, compose
from sr.models.blocks import inference_form
from sr.models.weights import FLOAT_WEIGHTS, save_weights
from sr.pretrained import cards, find, load
from sr.pretrained.add import add
from sr.pretrained.card import CARD, Card
from sr.pretrained.catalogue import NETS, weights_path
from sr.pretrained.command import main
from sr.runs.files import read_json, write_json

OVERRIDES = ["model=quicksrnet_small", "model.m=0", "model.f=4", "model.overparameterize=ecb", "machine.threads=1"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What a run leaves, of a net that trained in branches; the exported files are only copied."""
    config = compose(OVERRIDES)
    task, _ = build(config)
    folder = tmp_path / "run"
    save_weights(task.deployable(), folder / FLOAT_WEIGHTS, {})
    score = {"psnr_y_db": 31.23456, "ssim_y": 0.9, "num_images": 5, "protocol": "y", "per_image": []}
    report = {
        "experiment": "main",
        "run": "run",
        "cost": {},
        "stage_seconds": {},
        "status": "finished",
        "schema_version": 1,
        "config": {"scale": 2, "init": None, "model": dict(config.model), "quantization": {"name": "w8a8_qat"}},
        "protocol": "y",
        "quality": {"float": {"set5": score}, "simulated": {}},
        "training": {"iterations": 5, "precision": "bf16", "seconds": 1.5},
        "data": {"fingerprint": "ab", "train_sources": ["train/T91"], "num_images": 91, "root": "/somewhere"},
        "versions": {"torch": "2"},
        "git": {"commit": "abc", "dirty": False},
        "export": {"certificate": {}},
    }
    write_json(folder / "report.json", report)
    (folder / ".hydra").mkdir()
    (folder / ".hydra/overrides.yaml").write_text("\n".join(f"- {item}" for item in OVERRIDES))
    for name in (
        "export/aimet/net.onnx",
        "export/aimet/net.encodings",
        "export/dcr.onnx",
        "export/pixels_540x960.onnx",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_a_run_becomes_a_net_that_gives_the_same_image(run, tmp_path):
    nets = tmp_path / "nets"
    folder = add(run, "quicksrnet_small", nets)
    assert folder == find("quicksrnet_small", 2, nets) == nets / "quicksrnet_small_x2"
    assert {path.name for path in folder.iterdir()} == {
        CARD, "float.safetensors", "w8a8_qat.onnx", "w8a8_qat.encodings", "w8a8_qat_qdq_dcr.onnx",
        "w8a8_qat_qdq_pixels_540x960.onnx",
    }  # fmt: skip
    net, lr = load("quicksrnet_small", scale=2, nets=nets), torch.rand(1, 3, 8, 9)
    task, _ = build(compose([*OVERRIDES, f"init={run / FLOAT_WEIGHTS}", "model.overparameterize=none"]))
    with torch.no_grad():
        torch.testing.assert_close(net(lr), inference_form(task.net)(lr), atol=1e-6, rtol=0)
    (card,) = cards(nets)
    assert card.quality == {"float": {"set5": {"psnr_y_db": 31.2346, "ssim_y": 0.9}}}
    assert card.parameters == count_parameters(net)._asdict()
    assert card.commands == ["python -m sr.run " + " ".join(OVERRIDES[:-1])]
    assert "/somewhere" not in (folder / CARD).read_text(), "a card says nothing of the machine"
    assert not list(nets.glob(".partial*"))


@pytest.mark.parametrize("start", ["", FLOAT_WEIGHTS])
def test_a_card_names_all_the_runs_that_made_its_net(run, tmp_path, start):
    later = tmp_path / "later"
    shutil.copytree(run, later)
    report = read_json(later / "report.json")
    report["config"]["init"], report["training"]["iterations"] = str(run / start), 7
    write_json(later / "report.json", report)
    (later / ".hydra/overrides.yaml").write_text("- train.iterations=7")
    card = Card.read(add(later, "quicksrnet_small", tmp_path / "nets"))
    assert card.commands == ["python -m sr.run " + " ".join(OVERRIDES[:-1]), "python -m sr.run train.iterations=7"]
    assert card.training == {"iterations": 12, "seconds": 3.0, "precision": "bf16"}
    (run / "report.json").unlink()
    with pytest.raises(ValueError, match=r"started from .* not a finished run"):
        add(later, "quicksrnet_small", tmp_path / "nets")


def test_adding_again_replaces(run, tmp_path):
    nets = tmp_path / "nets"
    add(run, "quicksrnet_small", nets)
    (nets / "quicksrnet_small_x2/stale").touch()
    assert not (add(run, "quicksrnet_small", nets) / "stale").exists()


def test_a_report_of_another_layout_is_refused(run, tmp_path):
    report = read_json(run / "report.json")
    del report["git"]
    write_json(run / "report.json", report)
    with pytest.raises(ValueError, match=r"not a report of this layout: missing \['git'\]"):
        add(run, "quicksrnet_small", tmp_path / "nets")


def test_an_unfinished_run_is_refused(run, tmp_path):
    (run / "report.json").unlink()
    with pytest.raises(ValueError, match="not finished"):
        add(run, "x", tmp_path / "nets")


def test_a_run_without_its_files_leaves_nothing_behind(run, tmp_path):
    (run / "export/dcr.onnx").unlink()
    with pytest.raises(ValueError, match=r"needs one file export/dcr\.onnx and has 0"):
        add(run, "x", tmp_path / "nets")
    assert not list((tmp_path / "nets").iterdir())


def test_a_name_or_scale_that_is_not_there_is_refused_with_what_is(run, tmp_path):
    add(run, "quicksrnet_small", tmp_path)
    with pytest.raises(ValueError, match=r"is for x2, not for x3; choose one of these scales$"):
        find("quicksrnet_small", 3, tmp_path)
    with pytest.raises(ValueError, match=r"'edsr'; there are: quicksrnet_small"):
        find("edsr", 2, tmp_path)


def test_a_changed_file_is_noticed(run, tmp_path):
    folder = add(run, "quicksrnet_small", tmp_path)
    (folder / "w8a8_qat.encodings").write_text("other")
    with pytest.raises(ValueError, match="does not match its card"):
        Card.read(folder)


def test_other_inits_stay_as_they_are():
    assert weights_path("outputs/main/x", 2) == "outputs/main/x"
    with pytest.raises(ValueError, match="no pretrained net is called 'nothing'"):
        weights_path("pretrained/nothing", 2)
    with pytest.raises(ValueError, match=r"not for x5;.*init=.*_x4/float\.safetensors init_leave=\[conv_last\]"):
        weights_path("pretrained/quicksrnet_small", 5)


@pytest.mark.parametrize("folder", sorted(path.parent for path in NETS.glob(f"*/{CARD}")), ids=lambda path: path.name)
def test_every_shipped_net_is_whole_and_beats_bicubic(folder):
    card = Card.read(folder)
    assert folder.name == card.folder
    net = load(card.name, scale=card.scale)
    assert card.parameters == count_parameters(net)._asdict()
    assert net(torch.rand(1, 3, 8, 8)).shape == (1, 3, 8 * card.scale, 8 * card.scale)
    for name, score in card.quality["float"].items():
        assert score["psnr_y_db"] > card.quality["bicubic"][name]["psnr_y_db"] + 0.5
    assert any(file.endswith(".encodings") for file in card.files)
    build(compose([f"model={card.name}", f"scale={card.scale:g}", f"init=pretrained/{card.name}"]))


def test_the_command_line_lists_and_names_the_new_command(capsys):
    assert main([]) == 0
    listed = capsys.readouterr().out
    assert "PSNR" in listed and "22,860" in listed, "QuickSRNet-S x2 has 22,860 parameters"
    assert main(["upscale", "in put.png", "out.png", "--scale", "3"]) == 1
    assert "Error: type python -m sr.upscale 'in put.png' out.png --scale 3" in capsys.readouterr().err


def test_processes_that_add_the_same_net_at_once_all_end_right(run, tmp_path):
    add_it = "add(pathlib.Path(sys.argv[1]), 'net', pathlib.Path(sys.argv[2]))"
    code = f"import pathlib, sys; from sr.pretrained.add import add; {add_it}"
    command = [sys.executable, "-c", code, str(run), str(tmp_path / "nets")]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate()[1] for process in started] == [""] * 4
    assert Card.read(tmp_path / "nets/net_x2").name == "net"
    assert [path.name for path in (tmp_path / "nets").iterdir() if path.is_dir()] == ["net_x2"]
