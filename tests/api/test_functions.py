"""The API: nets from elsewhere are scored, quantized and exported by the functions of a run."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import sr
from tests.api.foreign_net import Foreign

LAYERS = {
    "transposed": [nn.Conv2d(3, 8, 3, padding=1), nn.LeakyReLU(0.2), nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1)],
    "prelu": [nn.Conv2d(3, 12, 3, padding=1), nn.PReLU(12), nn.PixelShuffle(2)],
    "norm": [nn.Conv2d(3, 12, 3, padding=1), nn.BatchNorm2d(12), nn.Tanh(), nn.PixelShuffle(2), nn.Sigmoid()],
    "x1.5, pixels first": [nn.PixelUnshuffle(2), nn.Conv2d(12, 27, 3, padding=1), nn.PixelShuffle(3)],
    "depthwise": [nn.Conv2d(3, 12, 3, padding=1, groups=3, bias=False), nn.ReLU6(), nn.PixelShuffle(2)],
}


def test_import_costs_nothing_and_names_are_there() -> None:
    code = "import sr, sys; print([m for m in ('torch', 'numpy', 'hydra') if m in sys.modules], sr.export, dir(sr))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.startswith("[] <module 'sr.export'") and all(repr(name) in printed for name in sr.API)
    with pytest.raises(AttributeError, match="no attribute 'upscael'; its functions are"):
        getattr(sr, "upsc" + "ael")


@pytest.mark.aimet
def test_a_foreign_net_is_scored_quantized_and_exported(
    foreign: Foreign, photos: list[np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quantized = sr.quantize(foreign, photos)
    assert quantized(photos[0]).shape == (384, 384, 3)
    scores = [sr.evaluate(each, photos).psnr_db for each in (foreign, quantized, quantized.float_net)]
    assert scores[0] == scores[2] and abs(scores[0] - scores[1]) < 0.05
    certificate = sr.export(quantized, tmp_path / "kit", target="onnx", size="90x120")
    assert certificate == json.loads((tmp_path / "kit/certificate.json").read_text())
    assert all((tmp_path / "kit" / name).is_file() for name in certificate["files"])
    assert "pixels_90x120.onnx" in certificate["files"] and all(link["holds"] for link in certificate["links"])
    assert "Export proof" in capsys.readouterr().out


@pytest.mark.aimet
@pytest.mark.qnn
def test_a_foreign_net_is_compiled_and_emulated(foreign: Foreign, photos: list[np.ndarray], tmp_path: Path) -> None:
    certificate = sr.export(sr.quantize(foreign, photos, scheme="w8a8_ptq"), tmp_path, size="90x120")
    assert {"htp_v69", "htp_v73"} <= {form["name"] for form in certificate["forms"]}
    binaries = [name for name in certificate["files"] if name.endswith(".bin")]
    assert len([name for name in binaries if name.startswith("hexagon/")]) == 5 and len(binaries) == 15


@pytest.mark.aimet
@pytest.mark.parametrize("scheme", ["fp16", "w8a8_cle", "w8a8_bias_correction", "w4a8_seq_mse", "w8a16_ptq"])
def test_a_foreign_net_takes_every_kind_of_scheme(
    scheme: str, foreign: Foreign, photos: list[np.ndarray], tmp_path: Path
) -> None:
    assert sr.export(sr.quantize(foreign, photos, scheme=scheme), tmp_path, target="onnx", size="90x120")["files"]


@pytest.mark.aimet
@pytest.mark.parametrize("target, runtime", [("litert", "litert"), ("openvino", "openvino")])
def test_a_foreign_net_runs_on_other_runtimes(
    target: str, runtime: str, foreign: Foreign, photos: list[np.ndarray], tmp_path: Path
) -> None:
    pytest.importorskip({"litert": "ai_edge_litert"}.get(runtime, runtime))
    quantized = sr.quantize(foreign, photos, scheme="w8a8_ptq")
    certificate = sr.export(quantized, tmp_path, target=target, size="90x120")
    assert "skipped" not in certificate["engines"][target]
    (path,) = [*tmp_path.glob("litert/*.tflite")] or [tmp_path / "pixels.onnx"]
    difference = np.abs(sr.load(path, runtime=runtime)(photos[0]).astype(int) - quantized(photos[0]))
    assert difference.max() <= 3


def test_loading_needs_nothing_of_quantization() -> None:
    code = "import sr, sys; sr.load; print([m for m in ('aimet_torch', 'hydra', 'lightning') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_float_net_is_exported_too(foreign: Foreign, photos: list[np.ndarray], tmp_path: Path) -> None:
    certificate = sr.export(foreign, tmp_path, target="onnx", size="90x120", photos=photos)
    assert {form["name"] for form in certificate["forms"]} >= {"float", "pixels_fast"}


@pytest.mark.aimet
@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_every_module_that_is_taken_is_quantized_and_exported(
    layers: list[nn.Module], photos: list[np.ndarray], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    for layer in layers:
        getattr(layer, "reset_parameters", bool)()
    quantized = sr.quantize(nn.Sequential(*layers), photos, scheme="w8a8_ptq")
    assert sr.export(quantized, tmp_path, target="onnx", size="90x120")["files"]


def test_luma_nets_and_plain_functions_are_scored(photos: list[np.ndarray]) -> None:
    assert sr.evaluate(Foreign(channels=1), photos, protocol="y_only").protocol == "y_only"
    repeated = sr.evaluate(lambda lr: lr.repeat(2, axis=0).repeat(2, axis=1), photos, scale=2)
    assert repeated.psnr_db == pytest.approx(sr.evaluate(nn.Upsample(scale_factor=2), photos).psnr_db)
    with pytest.raises(ValueError, match="a plain function does not tell its scale; give scale="):
        sr.evaluate(lambda lr: lr, photos)


def test_wrong_words_are_refused_with_the_right_ones(foreign: Foreign, photos: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match=r"scheme 'int8' is unknown; the schemes are .*w8a8_gptq"):
        sr.quantize(foreign, photos, scheme="int8")
    with pytest.raises(ValueError, match=r"target 'snpe' is unknown; the targets are .*hexagon"):
        sr.export(foreign, "unused", target="snpe", photos=photos)


@pytest.mark.aimet
def test_encodings_make_the_same_net_again(foreign: Foreign, photos: list[np.ndarray], tmp_path: Path) -> None:
    first = sr.quantize(foreign, photos, scheme="w8a8_ptq")
    path = tmp_path / "params_only.encodings"
    weights = first.simulation.encodings("0.6.1")["param_encodings"]
    path.write_text(json.dumps({name.removeprefix("body."): entry for name, entry in weights.items()}))
    again = sr.quantize(foreign, photos, encodings=path)
    distance = np.abs(again(photos[0]).astype(int) - first(photos[0]))  # ranges are widened after calibration there
    assert again.simulation.scheme.name == "w8a8_encodings" and distance.mean() < 0.2
    with pytest.raises(ValueError, match="weight_bits=8, which is not w4a8_ptq; leave the scheme out"):
        sr.quantize(foreign, photos, encodings=path, scheme="w4a8_ptq")
    with pytest.raises(ValueError, match="no encodings at"):
        sr.quantize(foreign, photos, encodings=tmp_path / "other.encodings")
