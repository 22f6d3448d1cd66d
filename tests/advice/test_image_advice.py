"""Images, their cache and weights: a message is provoked, its advice followed, and the command finishes."""

import os
import re
import shutil

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from sr.models.weights import read_weights
from tests.advice.tiny_run import TINY, refused, remove_what_is_named, start

NAMES = [
    ("a.pth", "a.safetensors", " is a safetensors file under another name; call it "),
    ("b.safetensors", "b.pth", " is a PyTorch checkpoint, not safetensors; call it "),
]
"""File, what it has to be called, and the message."""


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
