"""Damaged, missing and foreign files of a run: a message is provoked, its advice followed, and the command finishes."""

import shutil

import pytest
import torch

from sr.models.weights import read_weights
from sr.report.command import main as report
from tests.advice.tiny_run import TINY, refused, remove_what_is_named, start

QUANTIZED = [
    *(text for text in TINY if not text.startswith("callbacks")), "quantization=w8a8_qat", "export=none",
    "quantization.stages.qat.iterations=2", "quantization.stages.qat.checkpoint_every=2", "callbacks.cost=null",
    "quantization.calibration_batches=1", "callbacks.images=null", "callbacks.sensitivity=null",
    "callbacks.evaluate.forms=[]",
]  # fmt: skip


@pytest.mark.parametrize("left", [0, 400])
def test_own_checkpoint(stopped, images, left):
    path = stopped / "checkpoints/last.ckpt"
    whole = path.read_bytes()
    path.write_bytes(whole[:left])
    again = [*TINY, f"data.root={images}"]
    message = refused("it is this run's own checkpoint: put a whole copy of it back, or remove it", stopped, *again)
    path.write_bytes(whole)
    assert "is finished" not in start(stopped, *again) and (stopped / "report.json").is_file()
    for name in ("report.json", "float/weights.json"):
        (stopped / name).unlink()
    path.write_bytes(whole[:left])
    remove_what_is_named(message, "last.ckpt")
    start(stopped, *again)
    assert read_weights(path), "trained from the start"


@pytest.mark.parametrize("name", ["data.json", "commands.json", "training.json"])
def test_json_files_of_a_run(stopped, images, name):
    (stopped / name).write_text("{")
    again = [*TINY, f"data.root={images}"]
    try:
        start(stopped, *again)
    except ValueError as error:
        assert "remove it and run the same command again" in str(error)
        remove_what_is_named(str(error), name)
        start(stopped, *again)
    assert (stopped / "report.json").is_file()


def test_config_of_a_run(stopped, images):
    again = [*TINY, f"data.root={images}"]
    for content, match in (("a: [", "remove the folder to start anew"), ("5", "remove the folder to start anew")):
        (stopped / "config.yaml").write_text(content)
        message = refused(match, stopped, *again)
    assert str(stopped) in message
    shutil.rmtree(stopped)
    start(stopped, *again)
    assert (stopped / "report.json").is_file()


def test_a_link_in_place_of_the_lock(stopped, images):
    (stopped / ".running").unlink()
    (stopped / ".running").symlink_to(stopped / "config.yaml")
    message = refused("remove it and run the same command again", stopped, *TINY, f"data.root={images}")
    remove_what_is_named(message, ".running")
    start(stopped, *TINY, f"data.root={images}")


def test_a_folder_in_place_of_the_lock(stopped, images):
    (stopped / ".running").unlink()
    (stopped / ".running").mkdir()
    message = refused("remove it and run the same command again", stopped, *TINY, f"data.root={images}")
    remove_what_is_named(message, ".running")
    start(stopped, *TINY, f"data.root={images}")


def test_a_link_out_of_the_run(stopped, images, tmp_path):
    (tmp_path / "other").mkdir()
    shutil.move(stopped / "logs" if (stopped / "logs").exists() else stopped / "checkpoints", tmp_path / "other/moved")
    (stopped / "checkpoints").is_dir() or (stopped / "checkpoints").symlink_to(tmp_path / "other/moved")
    message = refused("put what it names in its place, or remove the link", stopped, *TINY, f"data.root={images}")
    copy = shutil.copytree(stopped, tmp_path / "copy/run", symlinks=True)
    remove_what_is_named(message, "checkpoints")
    start(stopped, *TINY, f"data.root={images}")
    (copy / "checkpoints").unlink()
    shutil.move(tmp_path / "other/moved", copy / "checkpoints")
    start(copy, *TINY, f"data.root={images}")


def test_a_started_run_and_no_checkpoint_asked_for(stopped, images):
    again = [*TINY, f"data.root={images}"]
    refused("remove the folder, or use ckpt=last to go on", stopped, *again, "ckpt=none")
    start(stopped, *again, "ckpt=last")
    shutil.rmtree(stopped)
    start(stopped, *again, "ckpt=none")


def test_other_settings(stopped, images, tmp_path):
    again = [*TINY, f"data.root={images}", "seed=5"]
    message = refused("choose another `experiment=`, or remove the folder", stopped, *again)
    assert "To go on from these weights use `init=<this folder>`." in message
    start(tmp_path / "second/run", *again)
    start(tmp_path / "third/run", *again, f"init={stopped}")
    shutil.rmtree(stopped)
    start(stopped, *again)


def test_other_images(stopped, images, tmp_path):
    folder = shutil.copytree(images, tmp_path / "changed")
    (folder / "0.png").rename(tmp_path / "0.png")
    again = [*TINY, f"data.root={folder}"]
    message = refused("was started with", stopped, *again)  # another root is another setting
    assert "choose another `experiment=`" in message
    removed = (images / "3.png").read_bytes()
    (images / "3.png").unlink()
    try:
        again = [*TINY, f"data.root={images}"]
        refused("put them back, or choose another `experiment=`", stopped, *again)
        start(tmp_path / "another/run", *again)
    finally:
        (images / "3.png").write_bytes(removed)
    start(stopped, *again)


def test_a_report_that_is_cut(finished, images, tmp_path, capsys):
    folder = shutil.copytree(finished, tmp_path / "main/run")
    whole = (folder / "report.json").read_text()
    (folder / "report.json").write_text(whole[:90])
    assert report([str(folder)]) == 0
    assert "the command that started the run writes it again" in capsys.readouterr().out
    start(folder, *TINY, f"data.root={images}")
    assert report([str(folder)]) == 0 and "is not JSON" not in capsys.readouterr().out


@pytest.mark.aimet
def test_files_of_the_quantization(images, tmp_path):
    folder, again = tmp_path / "main/run", [*QUANTIZED, f"data.root={images}"]
    start(folder, *again)
    kept = [path for path in (folder / "quantized").rglob("*") if path.suffix in (".pt", ".ckpt")]
    assert {path.name for path in kept} >= {"simulation.pt", "last.ckpt"}
    for path in kept:
        for name in ("report.json", "quantized/quantized.json"):
            (folder / name).unlink(missing_ok=True)
        path.write_bytes(path.read_bytes()[:50])
        try:
            start(folder, *again)
        except ValueError as error:
            assert "remove it to make it again" in str(error)
            remove_what_is_named(str(error), path.name)
            start(folder, *again)
        assert (folder / "report.json").is_file() and torch.load(path, weights_only=True)
