"""What every net of conf/model promises, whoever wrote it: configuration, shapes, weights, graph, export."""

import copy
import importlib
import inspect
import io
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import fx, nn

from sr.evaluation import upscaler
from sr.evaluation.tiles import tile_strips
from sr.functional.resize import as_ratio
from sr.models.blocks import NUM_CHANNELS, inference_form
from sr.models.net import Net

CONF = Path(__file__).resolve().parents[2] / "conf"
NAMES = sorted(path.stem for path in (CONF / "model").glob("*.yaml"))
SCALES = (1.5, 2, 3, 4)
HEAVY = 5_000_000  # parameters above which a test is content with one scale


def composed(name: str, scale: float) -> dict:
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose(f"model/{name}", overrides=[f"+scale={scale}"])
    return OmegaConf.to_container(config.model, resolve=True)


def build(name: str, scale: float, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return instantiate(composed(name, scale), _convert_="all").eval()


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def nets(name: str) -> dict[float, nn.Module]:
    """The net at each scale that it can do; at the others it must say so."""
    built = {}
    for scale in SCALES:
        try:
            built[scale] = build(name, scale)
        except Exception as error:
            cause = str(error.__cause__ or error)
            assert f"cannot upscale by {scale}: its scales are" in cause, cause
        if sum(p.numel() for net in built.values() for p in net.parameters()) > HEAVY:
            break
    assert built, f"{name} can do none of {SCALES}"
    return built


def image(net: nn.Module, seed: int = 1) -> torch.Tensor:
    """A small lr, odd where the net takes odd sizes; 16 pixels is what the pooling inside RFDN's attention needs."""
    size = (16, 18) if net.size_multiple == 2 else (17, 19)
    return torch.rand(1, NUM_CHANNELS[net.color], *size, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def stir(net: nn.Module) -> None:
    """Move every parameter off its start, so that zero biases and copied kernels cannot hide a mistake."""
    for parameter in net.parameters():
        parameter += 0.02 * torch.randn_like(parameter)


def test_there_are_nets() -> None:
    assert len(NAMES) > 10


def test_yaml_lists_every_argument_and_python_has_no_defaults(name: str) -> None:
    config = composed(name, 2)
    module, _, cls = config.pop("_target_").rpartition(".")
    parameters = inspect.signature(getattr(importlib.import_module(module), cls)).parameters.values()
    assert {parameter.name for parameter in parameters} == set(config)
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)
    assert all(parameter.default is parameter.empty for parameter in parameters)
    assert config["scale"] == 2, "scale must follow the experiment's: scale: ${scale}"


def test_shape_law(nets: dict[float, nn.Module]) -> None:
    for scale, net in nets.items():
        assert isinstance(net, Net)
        assert net.scale == scale
        assert net.color in NUM_CHANNELS
        assert net.size_multiple in ((2,) if scale == 1.5 else (1, 2))
        lr = image(net)
        with torch.no_grad():
            sr = net(lr)
        assert sr.shape == (1, lr.shape[1], int(scale * lr.shape[2]), int(scale * lr.shape[3]))
        assert sr.isfinite().all()


def test_state_dict_round_trip(name: str, nets: dict[float, nn.Module]) -> None:
    scale, net = next(iter(nets.items()))
    file = io.BytesIO()
    torch.save(net.state_dict(), file)
    file.seek(0)
    other = build(name, scale, seed=1)
    other.load_state_dict(torch.load(file, weights_only=True))
    with torch.no_grad():
        assert torch.equal(other(image(net)), net(image(net)))


def test_every_parameter_learns(nets: dict[float, nn.Module]) -> None:
    for net in nets.values():
        if any(parameter.requires_grad for parameter in net.parameters()):
            net.train()(image(net)).square().mean().backward()
            idle = [key for key, p in net.named_parameters() if p.requires_grad and p.grad is None]
            net.eval().zero_grad(set_to_none=True)
            assert not idle


def test_collapsed_net_gives_the_same_image(nets: dict[float, nn.Module]) -> None:
    for net in nets.values():
        if not hasattr(net, "collapse"):
            assert inference_form(net) is net
            continue
        stir(net)
        exact = copy.deepcopy(net).double()  # SPAN has features of hundreds, whose rounding in fp32 exceeds the bound
        with torch.no_grad():
            plain, lr = inference_form(exact).eval(), image(net).double()
            assert (plain.scale, plain.color, plain.size_multiple) == (net.scale, net.color, net.size_multiple)
            torch.testing.assert_close(plain(lr), exact(lr), atol=1e-9, rtol=1e-9)


class LeafTracer(fx.Tracer):
    """Record the modules that do something as single steps."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not any(True for _ in m.children())


def test_every_operation_is_a_module_used_once(nets: dict[float, nn.Module]) -> None:
    for net in nets.values():
        if not any(True for _ in net.parameters()):
            continue  # untrained: nothing in it gets quantized
        plain = inference_form(net)
        steps = list(LeafTracer().trace(plain).nodes)
        loose = [str(step.target) for step in steps if step.op in ("call_function", "call_method", "get_attr")]
        assert not loose, f"operations that a quantizer cannot see: {loose}"
        used = [id(plain.get_submodule(str(step.target))) for step in steps if step.op == "call_module"]
        assert len(used) == len(set(used)), "a module is used twice"
        assert len(used) == sum(1 for part in plain.modules() if not any(True for _ in part.children())), "idle module"


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore:Constant folding:UserWarning")
def test_onnx_gives_the_same_image_at_any_size(nets: dict[float, nn.Module], tmp_path: Path) -> None:
    for scale, net in nets.items():
        plain, lr, path = inference_form(net).eval(), image(net), tmp_path / f"{scale}.onnx"
        axes = {"lr": {2: "h", 3: "w"}}
        torch.onnx.export(plain, (lr,), path, dynamo=False, input_names=["lr"], output_names=["sr"], dynamic_axes=axes)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for other in (lr, torch.rand(2, lr.shape[1], 24, 20)[:1]):
            with torch.no_grad():
                expected = plain(other)
            got = torch.from_numpy(session.run(None, {"lr": other.numpy()})[0])
            torch.testing.assert_close(got, expected, atol=1e-4, rtol=1e-5)  # random weights of SPAN give values of 40


WHOLE_IMAGE = {"erfdn", "rfdn"}
"""Nets whose attention depends on the whole image."""
SHORT = {"f": 8, "d": 8, "m": 2}  # width and depth do not change whether tiles are exact


def test_tiles_are_exact_or_the_net_gets_the_whole_image() -> None:
    checked, untiled, errors = set[str](), set[str](), {}
    for name in NAMES:
        config = composed(name, 2)
        config |= {key: min(config[key], most) for key, most in SHORT.items() if key in config}
        if (key := str(config)) in checked:
            continue
        checked.add(key)
        torch.manual_seed(0)
        net = instantiate(config, _convert_="all").eval()
        stir(net)
        field = upscaler(net).field
        if field is None:
            untiled.add(name)
        else:
            errors[name] = tile_error(inference_form(net).double(), field)
    assert len(checked) > 15 and untiled == WHOLE_IMAGE
    assert {name: error for name, error in errors.items() if not error < 1e-9} == {}


def tile_error(net: nn.Module, field: int) -> float:
    """Upscale an image whole and in tiles of 32 columns; return the largest difference."""

    def upscale(lr: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return net(torch.from_numpy(lr).permute(2, 0, 1)[None].contiguous())[0].permute(1, 2, 0).numpy()

    lr = np.random.default_rng(0).random((16, 2 * field + 90, NUM_CHANNELS[net.color]))
    how = {"ratio": as_ratio(net.scale), "period": net.size_multiple, "field": field}
    strips = list(tile_strips(upscale, lr, **how, side=32))
    return float(np.abs(np.concatenate(strips) - upscale(lr)).max())
