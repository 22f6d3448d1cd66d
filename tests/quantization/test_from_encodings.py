"""Float weights and AIMET's encodings become the simulation again, bit for bit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sr.models.net import Net
from sr.pretrained import load
from sr.quantization.encoded_places import places_of
from sr.quantization.encodings_file import ENCODING_FORMATS, AimetEncodings, TensorGrid, read_encodings
from sr.quantization.from_encodings import encoded, encoded_widths
from sr.quantization.ptq import calibrate
from sr.quantization.simulation import Simulation
from sr.runs.silence_logs import silence_logs

pytestmark = pytest.mark.aimet
Restore = Callable[..., Simulation]


@pytest.fixture
def restore(make_scheme: Any, calibration: list[Tensor]) -> Restore:
    def of(path: Path | AimetEncodings, net: Net) -> Simulation:
        grids = places_of(read_encodings(path) if isinstance(path, Path) else path, net)
        weight_bits, activation_bits, per_channel = encoded_widths(grids)
        widths = {"weight_bits": weight_bits, "activation_bits": activation_bits or 8, "per_channel": per_channel}
        return encoded(net, make_scheme(**widths), grids, calibration)

    return of


def written(simulation: Simulation, version: str, folder: Path) -> Path:
    path = folder / f"{version}.encodings"
    path.write_text(json.dumps(simulation.encodings(version)))
    return path


def float_copy(simulation: Simulation, net: Net) -> Net:
    """The net with the weights that the simulation has before it rounds them."""
    state = simulation.net.state_dict()
    net.load_state_dict({name: state[name] for name in net.state_dict()})
    return net


@torch.no_grad()
def output(net: nn.Module, pixels: Tensor) -> Tensor:
    return net(pixels)


@pytest.mark.parametrize("version", ENCODING_FORMATS)
def test_a_real_quicksrnet_comes_back_bit_equal(
    version: str, restore: Restore, make_scheme: Any, calibration: list[Tensor], pixels: Tensor, tmp_path: Path
) -> None:
    simulation = calibrate(net=load("quicksrnet_small", scale=2), scheme=make_scheme(), calibration=calibration)
    simulation.snap()
    again = restore(written(simulation, version, tmp_path), float_copy(simulation, load("quicksrnet_small", scale=2)))
    assert torch.equal(output(again.net, pixels), output(simulation.net, pixels))
    assert written(again, version, tmp_path / "..").read_text() == written(simulation, version, tmp_path).read_text()


@pytest.mark.parametrize("changes", [{"residual": "input_to_output"}, {"scale": 1.5, "residual": "input_to_output"}])
@pytest.mark.parametrize("widths", [{"weight_bits": 4}, {"activation_bits": 16}, {"per_channel": False}], ids=str)
def test_other_nets_and_widths_come_back(
    changes: Any,
    widths: Any,
    restore: Restore,
    make_net: Any,
    make_scheme: Any,
    calibration: Any,
    pixels: Any,
    tmp_path: Any,
) -> None:
    simulation = calibrate(net=make_net(**changes), scheme=make_scheme(**widths), calibration=calibration)
    simulation.snap()
    again = restore(written(simulation, "1.0.0", tmp_path), float_copy(simulation, make_net(**changes)))
    assert torch.equal(output(again.net, pixels), output(simulation.net, pixels))


class ZooNet(nn.Module):
    """QuickSRNet with the names of layers that the AIMET model zoo has."""

    def __init__(self, own: Net) -> None:
        super().__init__()
        parts = dict(own.named_children())
        self.cnn, self.conv_last, self.depth_to_space = parts["cnn"], parts["conv_last"], parts["depth_to_space"]
        self.clip_output = nn.Hardtanh(0.0, 1.0)

    def forward(self, lr: Tensor) -> Tensor:
        return self.depth_to_space(self.clip_output(self.conv_last(self.cnn(lr))))


@pytest.fixture(scope="module")
def aimet_files(make_net: Any, calibration: Any, tmp_path_factory: Any) -> tuple[Any, dict[str, Path]]:
    """AIMET's own simulation by its default rules, which quantize between a convolution and its clip, and its files."""
    import aimet_torch
    from aimet_torch.common import quantsim
    from aimet_torch.nn import QuantizedHardtanh
    from aimet_torch.onnx_utils import map_torch_types_to_onnx

    rules = next(Path(aimet_torch.__file__).parent.rglob("default_config_per_channel.json"))
    folder, example = tmp_path_factory.mktemp("aimet"), torch.rand(1, 3, 16, 16)
    with silence_logs(), pytest.MonkeyPatch.context() as patch:
        for hardtanh in (nn.Hardtanh, QuantizedHardtanh):  # which this package registers as a clip
            patch.delitem(map_torch_types_to_onnx, hardtanh, raising=False)
        net = ZooNet(make_net()).eval()
        sim = aimet_torch.QuantizationSimModel(net, example, quant_scheme="tf_enhanced", config_file=str(rules))
        sim.compute_encodings(lambda model: model(calibration[0]))
        for version in ENCODING_FORMATS:
            sim.onnx.export((example,), f"{folder}/{version}.onnx", encoding_version=version, dynamo=False)
        patch.setattr(quantsim, "encoding_version", "0.6.1")
        sim.export(str(folder), "legacy", example)
    files = {path.stem: path for path in sorted(folder.glob("*.encodings"))}
    assert files.keys() == {*ENCODING_FORMATS, "legacy", "legacy_torch"}
    return sim.model, files


@pytest.mark.parametrize("name", [*ENCODING_FORMATS, "legacy", "legacy_torch"])
def test_files_of_aimet_itself_give_its_values(
    name: str, aimet_files: Any, restore: Restore, make_net: Any, pixels: Tensor
) -> None:
    model, files = aimet_files
    again = restore(files[name], make_net())
    assert again.net.cnn[0].output_quantizers[0] is not None, "AIMET quantizes before the clip"
    biases = {key: value for key, value in again.net.named_parameters() if key.endswith("bias")}
    kept = {key: value.clone() for key, value in model.named_parameters()}
    distance = (output(again.net, pixels) - output(model, pixels)).abs()
    assert (distance > 0).float().mean() < 0.02, "the biases of hardware are integers, AIMET simulates floats"
    model.load_state_dict(biases, strict=False)
    assert torch.equal(output(again.net, pixels), output(model, pixels))
    model.load_state_dict(kept, strict=False)


def test_a_file_of_weights_alone_is_calibrated(
    restore: Restore, aimet_files: Any, make_net: Any, tmp_path: Path
) -> None:
    """What AdaRound writes, and the zoo offers as *_params_only.encodings."""
    content = json.loads(aimet_files[1]["0.6.1"].read_text())
    path = tmp_path / "params_only.encodings"
    path.write_text(json.dumps(content["param_encodings"]))
    again = restore(path, make_net())
    scale = again.net.cnn[0].param_quantizers["weight"].get_scale().flatten()
    assert scale.tolist() == pytest.approx([entry["scale"] for entry in content["param_encodings"]["cnn.0.weight"]])
    assert float(again.net.clip.output_quantizers[0].get_max()) == 1


GRID = TensorGrid(bits=8, scale=(0.01,), lowest=(-128,))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv_last.weight": None}, "has no range for conv_last.weight; give the file that AIMET wrote"),
        ({"/clip/Clip_output_0": None, "output": None}, "has no range for clip; give the file"),
        ({"input": None}, "has no range for cnn.0; give the file"),
        ({"cnn.0.bias": GRID}, "has ranges for what stays float here: cnn.0.bias"),
        ({"cnn.0.weight": GRID}, "cnn.0.weight has 1 scales, and 8 are needed: give the file of this net"),
        ({"cnn.0.weight": TensorGrid(bits=4, scale=(0.1,) * 8, lowest=(-8,) * 8)}, "has weights of 4 and 8 bits"),
        ({"input": TensorGrid(bits=16, scale=(0.1,), lowest=(0,))}, "has activations of 8 and 16 bits"),
        ({"cnn.0.weight": TensorGrid(bits=8, scale=(0.1,) * 8, lowest=(-127,) * 8)}, "begins at -127: weights are"),
        ({"cnn.0:input:0": GRID, "conv_last:input:0": GRID}, "inputs that are not quantized here: conv_last"),
    ],
)
def test_wrong_files_are_refused_in_one_line(
    change: Any, message: str, restore: Restore, make_net: Any, make_scheme: Any, calibration: Any, tmp_path: Path
) -> None:
    simulation = calibrate(net=make_net(), scheme=make_scheme(), calibration=calibration)
    right = read_encodings(written(simulation, "2.0.0", tmp_path))
    grids = {name: grid for name, grid in ({**right.grids, **change}).items() if grid is not None}
    with pytest.raises(ValueError, match=message) as refused:
        restore(AimetEncodings(path=right.path, grids=grids), make_net())
    assert "\n" not in str(refused.value)


def test_the_file_of_another_net_is_refused(
    restore: Restore, make_net: Any, make_scheme: Any, calibration: Any, tmp_path: Path
) -> None:
    simulation = calibrate(net=make_net(m=2), scheme=make_scheme(), calibration=calibration)
    with pytest.raises(ValueError, match=r"tensors that are not there: /cnn/cnn\.4/.*, /cnn/cnn\.5/Clip_output_0"):
        restore(written(simulation, "2.0.0", tmp_path), make_net(m=1))
