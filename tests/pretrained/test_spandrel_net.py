"""Checkpoints of other projects: loaded, scored, and as teachers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import sr
from sr.config.composition import plain
from sr.experiment import compose, made
from sr.models.basicsr_names import to_basicsr_names
from sr.models.weights import FLOAT_WEIGHTS, save_weights
from sr.pretrained.command import main
from sr.pretrained.spandrel_net import load_with_spandrel

spandrel = pytest.importorskip("spandrel")


@pytest.fixture
def compact(make, tmp_path) -> Path:
    path = tmp_path / "compact_x2.pth"
    torch.save({"params_ema": to_basicsr_names(make("compact", "model.f=16", "model.m=2"))}, path)
    return path


def test_a_checkpoint_upscales_and_is_scored(compact, make):
    image = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    net, own = sr.load(compact), make("compact", "model.f=16", "model.m=2")
    assert net.scale == 2 and np.array_equal(net(image), sr.load(compact)(image))
    with torch.no_grad():
        expected = own(torch.from_numpy(image.transpose(2, 0, 1).copy())[None] / 255)[0].numpy().transpose(1, 2, 0)
    assert np.abs(net(image) - expected * 255).max() <= 0.501
    assert sr.evaluate(net, [image]).psnr_db == sr.evaluate(own, [image]).psnr_db
    assert net.upscaler.field == 9, "of 4 convolutions 3x3, so that large images go through it in tiles"


def test_safetensors_and_other_architectures_are_read(tmp_path):
    from spandrel.architectures.SPAN import SPAN

    torch.manual_seed(0)
    save_file(SPAN(num_in_ch=3, num_out_ch=3, feature_channels=16, upscale=4).state_dict(), tmp_path / "x4.safetensors")
    net = load_with_spandrel(tmp_path / "x4.safetensors")
    assert (type(net).__name__, net.scale, net.color) == ("SPAN", 4, "rgb")
    assert net(torch.rand(1, 3, 8, 8)).shape == (1, 3, 32, 32)


def test_a_checkpoint_is_a_teacher(compact):
    base = ["model=quicksrnet_small", "task=distillation", f"task.teacher.source={compact}"]
    config = compose([*base, "scale=2"])
    parts = {name: made(config[name]) for name in ("loss", "optimizer", "scheduler")}
    task = made(config.task)(net=made(config.model), **parts)
    batch = (
        torch.randint(0, 256, (1, 3, 8, 8), dtype=torch.uint8),
        torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8),
    )
    loss = task.objective(False)(*batch)
    loss.backward()
    assert torch.isfinite(loss) and not any(weight.requires_grad for weight in task.learns_from()[0].parameters())
    config = compose([*base, "scale=3"])
    with pytest.raises(ValueError, match="the teacher is for x2 and the student for x3"):
        made(config.task)(net=made(config.model), **parts)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"w": torch.zeros(1)}, "spandrel does not know its layers; give the folder of its run"),
        ({"body.0.weight": torch.zeros(4, 3, 3, 3), "body.1.weight": torch.zeros(4)}, "cannot be opened with spandrel"),
    ],
)
def test_files_of_no_known_net_are_refused_in_one_line(state, message, tmp_path):
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(ValueError, match=message) as refused:
        sr.load(tmp_path / "x.pth")
    assert "\n" not in str(refused.value)


def test_a_net_without_upscaling_is_refused(tmp_path):
    from spandrel.architectures.Compact import Compact

    torch.save(Compact(num_feat=8, num_conv=1, upscale=1).state_dict(), tmp_path / "x.pth")
    with pytest.raises(ValueError, match=r"holds RealESRGAN Compact x1 of 3 to 3 channels; a net for RGB or luma, x2"):
        sr.load(tmp_path / "x.pth")


def test_python_objects_in_a_checkpoint_are_not_loaded(tmp_path):
    class Payload:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"params": Payload()}, tmp_path / "x.pth")
    with pytest.raises(ValueError, match="holds Python objects, which are not loaded for safety"):
        sr.load(tmp_path / "x.pth")
    assert not (tmp_path / "ran").exists()


def test_a_missing_spandrel_is_named(compact, uninstall):
    uninstall("spandrel")
    with pytest.raises(ValueError, match=r"pip install 'sr-mobile\[interchange\]'"):
        sr.load(compact)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_run_is_converted_to_a_file_that_spandrel_loads(ending, make, tmp_path, capsys):
    net, lr = make("compact", "model.f=16", "model.m=2", scale=3), torch.rand(1, 3, 9, 9)
    config = compose(["model=compact", "model.f=16", "model.m=2", "scale=3"])
    save_weights(net, tmp_path / "run" / FLOAT_WEIGHTS, {"config": {"model": plain(config.model)}})
    path = tmp_path / f"compact.{ending}"
    assert main(["convert", str(tmp_path / "run"), "--to", str(path)]) == 0
    with torch.no_grad():
        torch.testing.assert_close(spandrel.ModelLoader().load_from_file(path)(lr), net(lr), atol=1e-6, rtol=0)
    assert main(["convert", "quicksrnet_small", "--to", str(path)]) == 1
    assert "Error: spandrel has no QuickSRNet; it reads Compact and RRDBNet" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "run"), "--to", str(tmp_path / "x.onnx")]) == 1
