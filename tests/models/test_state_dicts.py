"""Weights of other projects: layouts, prefixes, files of another kind, values that are not finite."""

import gzip
from collections.abc import Callable

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from sr.models.state_dicts import PREFIXES, STATE_KEYS
from sr.models.weights import LIGHTNING, load_weights, read_weights


@pytest.fixture
def small(make: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    """QuickSRNet with 8 features."""
    return lambda **settings: make("quicksrnet", "model.f=8", "model.m=1", **settings)


def check_loads(content: object, small: Callable[..., nn.Module], path) -> None:
    torch.save(content, path)
    net, expected = small(), small(seed=1).state_dict()
    load_weights(net, read_weights(path), source=str(path))
    assert all(torch.equal(value, expected[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("key", STATE_KEYS)
def test_every_layout_loads(small, tmp_path, key):
    state = small(seed=1).state_dict()
    check_loads({"epoch": 3, key: state, "optimizer": {"lr": 0.1}}, small, tmp_path / "x.pth")


@pytest.mark.parametrize("prefix", [*PREFIXES, "module._orig_mod.", "model.net."])
def test_every_prefix_loads(small, tmp_path, prefix):
    state = {f"{prefix}{name}": value for name, value in small(seed=1).state_dict().items()}
    check_loads(state, small, tmp_path / "x.pth")
    check_loads({"state_dict": state, LIGHTNING: "2.6"}, small, tmp_path / "lightning.ckpt")


def test_what_torch_and_trainers_write_loads(small, tmp_path):
    net = small(seed=1)
    check_loads(torch.optim.swa_utils.AveragedModel(net).state_dict(), small, tmp_path / "swa.pth")
    check_loads(nn.DataParallel(net).state_dict(), small, tmp_path / "parallel.pth")
    check_loads(torch.compile(net).state_dict(), small, tmp_path / "compiled.pth")
    check_loads({"model": {"state_dict": net.state_dict()}}, small, tmp_path / "nested.pth")
    both = {"params": small(seed=2).state_dict(), "params_ema": net.state_dict()}
    check_loads(both, small, tmp_path / "ema.pth")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.pth", b"", r"empty\.pth is empty \(0 bytes\)"),
        ("empty.safetensors", b"", r"empty\.safetensors is empty"),
        ("lfs.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "is a Git LFS pointer"),
        ("page.pth", b"<!DOCTYPE html><html><body>Sign in</body></html>", "is a web page"),
        ("page.safetensors", b"<html><head></head></html>", "is a web page"),
        ("net.onnx", b"\x08\x08\x12\x07pytorch", "is an ONNX graph"),
        ("keras.pth", b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
        ("net.tflite", b"\x1c\0\0\0TFL3\0\0", "is a TensorFlow Lite model"),
        ("packed.pth", gzip.compress(b"weights", mtime=0), "is compressed with gzip"),
    ],
)
def test_a_file_of_another_kind_is_told(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_weights(tmp_path / name)


def test_a_wrong_ending_is_told(tmp_path):
    save_file({"a": torch.zeros(2)}, tmp_path / "net.pth")
    with pytest.raises(ValueError, match=r"is a safetensors file under another name; call it net\.safetensors"):
        read_weights(tmp_path / "net.pth")
    (tmp_path / "net.pth").rename(tmp_path / "net.safetensors")
    assert read_weights(tmp_path / "net.safetensors").keys() == {"a"}
    torch.save({"a": torch.zeros(2)}, tmp_path / "torch.safetensors")
    with pytest.raises(ValueError, match=r"is a PyTorch checkpoint, not safetensors; call it torch\.pth"):
        read_weights(tmp_path / "torch.safetensors")
    (tmp_path / "torch.safetensors").rename(tmp_path / "torch.pth")
    assert read_weights(tmp_path / "torch.pth").keys() == {"a"}


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_values_that_are_not_finite_are_named_by_their_tensor(tmp_path, value, dtype):
    state = {"good.weight": torch.ones(3), "bad.weight": torch.tensor([1, value], dtype=dtype), "n": torch.tensor(1)}
    torch.save(state, tmp_path / "x.pth")
    save_file(state, tmp_path / "x.safetensors")
    for name in ("x.pth", "x.safetensors"):
        with pytest.raises(ValueError, match=rf"{name} holds infinite or NaN values in bad\.weight: "):
            read_weights(tmp_path / name)
