"""Damaged, missing and foreign files of a run: a message is provoked, its advice followed, and the command finishes."""

import io
import os
import re
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import open_dict
from PIL import Image
from safetensors.torch import save_file

from sr.building import compose
from sr.job import complete
from sr.models.weights import read_weights
from sr.report.command import main as report

TINY = [
    "data=folder", "data.heldout_every=3", "data.lr_patch=16", "data.batch_size=2", "train.iterations=4",
    "train.chunk=2", "train.validate_every=4", "train.checkpoint_every=2", "train.precision=fp32", "model.f=4",
    "model=quicksrnet", "model.m=0", "callbacks=train_only", "callbacks.evaluate.forms=[]", "callbacks.cost=null",
    "logger=none",
]  # fmt: skip
QUANTIZED = [
    *(text for text in TINY if not text.startswith("callbacks")), "quantization=w8a8_qat", "export=none",
    "quantization.stages.qat.iterations=2", "quantization.stages.qat.checkpoint_every=2", "callbacks.cost=null",
    "quantization.calibration_batches=1", "callbacks.images=null", "callbacks.sensitivity=null",
    "callbacks.evaluate.forms=[]",
]  # fmt: skip
NAMES = [
    ("a.pth", "a.safetensors", " is a safetensors file under another name; call it "),
    ("b.safetensors", "b.pth", " is a PyTorch checkpoint, not safetensors; call it "),
]
"""File, what it has to be called, and the message."""


def start(folder: Path, *overrides: str) -> str:
    """Complete a run in this process."""
    composed = compose([*overrides, f"hydra.run.dir={folder}"], with_hydra=True)
    with open_dict(composed):
        composed.hydra.runtime.output_dir = str(folder)
        HydraConfig.instance().set_config(composed)
        del composed["hydra"]
    with redirect_stdout(io.StringIO()) as printed:
        complete(composed, folder)
    return printed.getvalue()


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    noise = np.random.default_rng(0)
    for index in range(4):
        Image.fromarray(noise.integers(0, 256, (64, 64, 3), np.uint8)).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def finished(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run without its report and its marks: it goes on where its last checkpoint is."""
    folder = tmp_path_factory.mktemp("outputs") / "main/run"
    start(folder, *TINY, f"data.root={images}")
    return folder


@pytest.fixture
def stopped(finished: Path, tmp_path: Path) -> Path:
    """A copy of the run as a kill at its last checkpoint leaves it."""
    folder = shutil.copytree(finished, tmp_path / "main/run")
    for name in ("report.json", "float/weights.json"):
        (folder / name).unlink()
    return folder


def refused(match: str, folder: Path, *overrides: str) -> str:
    with pytest.raises((ValueError, OSError), match=match) as caught:
        start(folder, *overrides)
    return str(caught.value)


def remove_what_is_named(message: str, ending: str) -> Path:
    """Remove the file or folder of a message that has an ending; returns it."""
    path = next(Path(each) for each in re.findall(r"(/[^\s:;,()]+)", message) if each.endswith(ending))
    assert path.is_symlink() or path.exists()
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return path


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


@pytest.mark.parametrize(
    ("damage", "advice"),
    [
        ("index", "; remove that folder"),
        ("hash", "; remove that folder"),
        ("cut", "; remove that folder"),
        ("flipped", "; remove the folder "),
    ],
)
def test_decoded_images(images, tmp_path, monkeypatch, damage, advice):
    monkeypatch.setenv("SR_CACHE", str(tmp_path / "cache"))
    again = [*TINY, f"data.root={images}"]
    start(tmp_path / "main/first", *again)
    (folder,) = (path.parent for path in (tmp_path / "cache").glob("*/pixels.u8"))
    pixels = (folder / "pixels.u8").read_bytes()
    if damage == "index":
        (folder / "index.json").write_text("{broken")
    elif damage == "hash":
        (folder / "index.sha256").unlink()
    elif damage == "cut":
        (folder / "pixels.u8").write_bytes(pixels[:-5])
    else:
        (folder / "pixels.u8").write_bytes(bytes([pixels[0] ^ 1]) + pixels[1:])
    message = refused(advice, tmp_path / "main/second", *again)
    assert len(message.splitlines()) == 1
    remove_what_is_named(message.replace("/pixels.u8", "").replace("/index.json", ""), folder.name)
    start(tmp_path / "main/second", *again)
    assert (folder / "pixels.u8").read_bytes() == pixels


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


def test_weights_under_another_ending(finished, images, tmp_path):
    state = {name: value.contiguous() for name, value in read_weights(finished).items()}
    save_file(state, tmp_path / "a.pth")
    torch.save(state, tmp_path / "b.safetensors")
    for name, known, advice in NAMES:
        again = [*TINY, f"data.root={images}"]
        assert known in refused(advice, tmp_path / "main/x", *again, f"init={tmp_path / name}")
        (tmp_path / name).rename(tmp_path / known)
        start(tmp_path / f"main/{name}", *again, f"init={tmp_path / known}")


def test_a_link_to_nothing_among_the_images(images, tmp_path):
    folder = shutil.copytree(images, tmp_path / "images")
    (folder / "z.png").symlink_to(tmp_path / "nowhere")
    again = [*TINY, f"data.root={folder}"]
    message = refused("is a link to nothing; remove the link", tmp_path / "main/run", *again)
    remove_what_is_named(message, "z.png")
    start(tmp_path / "main/run", *again)


def test_images_beyond_the_limit(images, tmp_path, monkeypatch):
    folder = shutil.copytree(images, tmp_path / "images")
    Image.new("RGB", (2000, 1500)).save(folder / "z.png")
    again = [*TINY, f"data.root={folder}"]
    message = refused("raise the limit with", tmp_path / "main/run", *again, "machine.max_megapixels=1")
    name, _, value = re.search(r"raise the limit with (\S+)=(\d+)", message)[0].split()[-1].partition("=")
    monkeypatch.setitem(os.environ, name, value)
    start(tmp_path / "main/run", *again)


def test_a_cache_that_cannot_be_written(images, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SR_CACHE", str(tmp_path / "file"))
    again = [*TINY, f"data.root={images}"]
    refused("or name another folder with data.cache=<folder> or SR_CACHE", tmp_path / "main/run", *again)
    start(tmp_path / "main/run", *again, f"data.cache={tmp_path / 'cache'}")


def test_a_file_that_is_no_image(images, tmp_path):
    folder = shutil.copytree(images, tmp_path / "images")
    (folder / "z.png").write_text("text")
    again = [*TINY, f"data.root={folder}"]
    refused("; convert it to PNG, or leave it out", tmp_path / "main/run", *again)
    (folder / "z.png").unlink()
    start(tmp_path / "main/run", *again)
