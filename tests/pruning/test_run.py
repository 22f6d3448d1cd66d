"""Filter pruning as a run: the net is pruned once, resumes, is rebuilt from its folder, and starts another run."""

import subprocess
import sys

import pytest
import torch

from sr import experiment
from sr.config.composition import plain
from sr.experiment import compose
from sr.models.weights import FLOAT_WEIGHTS
from sr.pretrained.trained import trained
from sr.report.net_facts import class_name
from sr.runs.files import read_json

TINY = [
    "model=quicksrnet_small", "init=pretrained/quicksrnet_small", "train.iterations=4", "train.chunk=2", "logger=none",
    "train.validate_every=2", "train.checkpoint_every=2", "data.batch_size=2", "data.lr_patch=16", "data.val_images=1",
    "data.val_crop=64", "quantization=w8a8_ptq", "quantization.calibration_batches=1", "size=64x96", "export=onnx",
    "export.num_crops=1", "export.crop_lr_side=48", "callbacks.cost.num_repeats=1", "callbacks.validation_images=null",
]  # fmt: skip
PRUNED = [*TINY, "filters=fisher", "filters.num_batches=2", "filters.remove_layers=1", "filters.scope=layer"]

LEFT = [(["cnn.2"], {"cnn.0": 16, "cnn.4": 16}), (["cnn.4"], {"cnn.0": 16, "cnn.2": 16})]


def run(folder, overrides):
    command = [sys.executable, "-m", "sr.run", f"hydra.run.dir={folder}", *overrides]
    return subprocess.run(command, capture_output=True, text=True, timeout=500)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "pruned"
    done = run(folder, PRUNED)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.aimet
def test_a_pruned_net_is_trained_quantized_exported_and_certified(folder):
    said, report = read_json(folder / "narrow/narrow.json"), read_json(folder / "report.json")
    assert (said["removed"], said["widths"]) in LEFT
    (removal,) = said["removals"]
    assert removal["loss_before"] < removal["loss_after"] < 2 * removal["loss_before"], "the next layer makes up for it"
    costs = report["cost"]["pruning"]
    assert costs["before"]["parameters"] == 22860
    assert costs["after"]["parameters"] == report["cost"]["parameters"] == 4508
    assert "export=hexagon" in costs["before"]["htp"]["skipped"]
    assert report["config"]["model"] == said["model"]
    assert class_name(report["config"]["model"]) == "quicksrnet_narrow"
    assert report["quality"]["onnxruntime"], "the certificate let it through"


@pytest.mark.aimet
def test_its_folder_says_which_net_it_is(folder):
    net = trained(str(folder), scale=2)
    assert [layer.out_channels for layer in net.modules() if isinstance(layer, torch.nn.Conv2d)] == [16, 16, 12]
    assert (folder / FLOAT_WEIGHTS).is_file()


@pytest.mark.aimet
def test_the_same_command_does_nothing_and_a_lost_report_is_made_again(folder):
    assert "is finished; nothing to do" in run(folder, PRUNED).stdout
    pruned = (folder / "narrow/weights.safetensors").stat().st_mtime_ns
    (folder / "report.json").unlink()
    done = run(folder, PRUNED)
    assert done.returncode == 0, done.stderr
    assert (folder / "narrow/weights.safetensors").stat().st_mtime_ns == pruned
    assert "other settings" in run(folder, [*PRUNED, "filters.keep=0.75"]).stderr


@pytest.mark.aimet
def test_another_run_starts_from_it_by_the_line_that_it_left(folder, tmp_path):
    given = read_json(folder / "narrow/narrow.json")["overrides"]
    config = compose([*TINY, *given, f"init={folder}"])
    narrowed = experiment.narrowed(config, tmp_path)
    described = plain(narrowed)["model"]
    assert (described["removed"], described["widths"]) in LEFT
    task, _ = experiment.build(narrowed)
    theirs = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    for name, value in task.net.state_dict().items():
        assert torch.equal(value, theirs[f"average.net.{name}"]), name


@pytest.mark.parametrize("start", ["null", "pixel"])
def test_without_a_trained_net_there_is_nothing_to_prune(tmp_path, start):
    with pytest.raises(ValueError, match="filters= prunes a trained net; give init="):
        experiment.narrowed(compose([*PRUNED, f"init={start}"]), tmp_path)
