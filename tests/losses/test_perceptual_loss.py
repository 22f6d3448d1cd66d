"""The perceptual loss: layers, gradients, weights. VGG19 is random here (seed 0), SqueezeNet real where it is found."""

from pathlib import Path

import pytest
import torch
from skimage import data
from torchvision import models

from sr.losses import perceptual_loss
from sr.losses.perceptual_loss import LAYERS, PerceptualLoss


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A weights file of VGG19's convolutions, random: the real ones are not shipped."""
    torch.manual_seed(0)
    features = models.vgg19(weights=None).features
    path = tmp_path_factory.mktemp("weights") / "vgg19.pt"
    torch.save({f"features.{name}": value for name, value in features.state_dict().items()}, path)
    return str(path)


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "squeezenet.pt"
    torch.save(models.squeezenet1_0(weights=None).state_dict(), path)
    return str(path)


def make(weights: str, network: str = "vgg19", **changes) -> PerceptualLoss:
    first = "fire4" if network == "squeezenet1_0" else "conv2_2"
    return PerceptualLoss(**dict(network=network, weights=weights, layers={first: 1.0}, criterion="l1") | changes)


def test_layer_names_are_vgg19s() -> None:
    layers = models.vgg19(weights=None).features
    positions = LAYERS["vgg19"]
    assert (positions["conv5_4"], positions["relu5_4"]) == (34, 35), "features.35 is SRGAN's VGG54"
    for name, position in positions.items():
        assert isinstance(layers[position], torch.nn.Conv2d if name.startswith("conv") else torch.nn.ReLU)


def test_layer_names_are_squeezenets() -> None:
    layers = models.squeezenet1_0(weights=None).features
    kinds = {name: type(layers[position]).__name__ for name, position in LAYERS["squeezenet1_0"].items()}
    assert kinds == {"conv1": "Conv2d", "relu1": "ReLU"} | {f"fire{i}": "Fire" for i in range(2, 10)}


def test_value_is_the_distance_of_torchvisions_features(vgg: str) -> None:
    loss = make(vgg, layers={"conv1_2": 0.5, "relu2_1": 2.0}, criterion="l2")
    net = models.vgg19(weights=None)
    net.features.load_state_dict({k.removeprefix("features."): v for k, v in torch.load(vgg).items()})
    sr, hr = torch.rand(2, 3, 24, 24), torch.rand(2, 3, 24, 24)
    mean, std = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    expected = 0.0
    for weight, end in ((0.5, 3), (2.0, 7)):  # conv1_2 is features[2], relu2_1 features[6]
        a, b = (net.features[:end]((each - mean) / std) for each in (sr, hr))
        expected += weight * (a - b).square().mean().item()
    assert loss(sr, hr).item() == pytest.approx(expected, rel=1e-5)
    assert loss(hr, hr).item() == 0


@pytest.mark.parametrize("network", ["vgg19", "squeezenet1_0"])
def test_gradient_reaches_sr_and_nothing_of_the_net(network: str, request: pytest.FixtureRequest) -> None:
    loss = make(request.getfixturevalue("vgg" if network == "vgg19" else "squeezenet"), network)
    sr, hr = torch.rand(1, 3, 32, 32, requires_grad=True), torch.rand(1, 3, 32, 32, requires_grad=True)
    loss(sr, hr).backward()
    assert sr.grad.abs().sum() > 0 and hr.grad is None
    assert not list(loss.parameters()), "the frozen net has no parameter that an optimizer could take"
    assert not loss.state_dict(), "and is in no checkpoint"
    assert not any(module.training for module in loss.train().modules())


def test_luma_is_seen_as_grey(vgg: str) -> None:
    loss, sr, hr = make(vgg), torch.rand(1, 1, 24, 24), torch.rand(1, 1, 24, 24)
    assert loss(sr, hr).item() == loss(sr.expand(-1, 3, -1, -1), hr.expand(-1, 3, -1, -1)).item()


def test_making_it_draws_no_random_number_of_the_run(vgg: str) -> None:
    torch.manual_seed(3)
    before = torch.rand(1)
    torch.manual_seed(3)
    make(vgg)
    assert torch.equal(torch.rand(1), before)


def test_caffes_squeezenet_recognises_photographs(shared_data: Path) -> None:
    """Its pixels are BGR in [0, 255] less a mean: taken for torchvision's, the same file recognises nothing."""
    path = shared_data / "weights/squeezenet1_0_imagenet.pt"
    loss = make(str(path), "squeezenet1_0", layers={"fire9": 1.0})
    head = torch.load(path, weights_only=True)
    weight, bias = head["conv10.weight"].float(), head["conv10.bias"].float()
    for picture, classes in ((data.chelsea(), (281, 282, 285)), (data.coffee(), (967,))):  # cats; espresso
        image = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
        side = min(image.shape[-2:])
        image = torch.nn.functional.interpolate(image[..., :side, -side:], (227, 227), mode="bilinear", antialias=True)
        features = loss.describe(image)[LAYERS["squeezenet1_0"]["fire9"]]
        assert int(torch.nn.functional.conv2d(features, weight, bias).relu().mean((2, 3)).argmax()) in classes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "alexnet"}, "vgg19 or squeezenet1_0"),
        ({"layers": {"conv5_5": 1.0}}, r"layers of vgg19 \(conv1_1.*got \['conv5_5'\]"),
        ({"layers": {}}, "got none"),
        ({"criterion": "l3"}, "l1 or l2"),
        ({"weights": "nowhere.pt"}, r"no weights of vgg19 at nowhere\.pt; correct task\.perceptual\.weights"),
    ],
)
def test_refusals(vgg: str, changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**{"weights": vgg} | changes)


def test_weights_of_another_net_are_refused(vgg: str) -> None:
    message = (
        r"does not hold the weights of torchvision's squeezenet1_0: 50 of 50 tensors .* it holds features\.0\.weight"
    )
    with pytest.raises(ValueError, match=message):
        make(vgg, "squeezenet1_0")


def test_a_file_that_is_not_whole_or_holds_no_names_is_named(squeezenet: str, tmp_path: Path) -> None:
    cut, bare = tmp_path / "cut.pt", tmp_path / "bare.pt"
    cut.write_bytes(Path(squeezenet).read_bytes()[:100_000])
    torch.save(torch.zeros(1), bare)
    with pytest.raises(ValueError, match=r"cut\.pt is no weights file of torch\.save"):
        make(str(cut), "squeezenet1_0")
    with pytest.raises(ValueError, match=r"bare\.pt holds no state dict, got Tensor"):
        make(str(bare), "squeezenet1_0")


def test_without_network_the_message_says_what_to_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", _no_network)
    with pytest.raises(ValueError, match=r"Download https://\S+vgg19\S+\.pth.*task\.perceptual\.weights=<file>"):
        perceptual_loss.PerceptualLoss(network="vgg19", weights=None, layers={"conv5_4": 1.0}, criterion="l1")


def test_the_lighter_net_is_not_proposed_instead_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", _no_network)
    with pytest.raises(ValueError, match=r"Download https://\S+squeezenet\S+\.pth.*checkpoints\. Without: task/perc"):
        perceptual_loss.PerceptualLoss(network="squeezenet1_0", weights=None, layers={"fire4": 1.0}, criterion="l1")


def _no_network(*_, **__):
    raise OSError("no network")
