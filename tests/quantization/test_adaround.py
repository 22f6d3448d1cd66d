import pytest
import torch

from sr.losses.pixel import L1
from sr.quantization.adaround import AdaRound
from sr.quantization.pipeline import quantize
from sr.quantization.ptq import calibrate
from sr.quantization.sequential_mse import SequentialMse

pytestmark = pytest.mark.aimet


@pytest.fixture
def adaround():
    return AdaRound(name="adaround", iterations=200, regularization=0.01, warm_start=0.2)


@pytest.fixture
def run(make_net, make_scheme, calibration, stream, score, tmp_path):
    def quantized(*stages, seed=0, folder=tmp_path, method="min_max", **changes):
        scheme = make_scheme(weight_bits=4, calibration=method, chain=stages)
        inputs = {"calibration": calibration, "stream": stream, "loss": L1(), "seed": seed}
        return quantize(net=make_net(**changes), scheme=scheme, score=score, folder=folder, **inputs)

    return quantized


def weights(simulation):
    """Name -> integers that a convolution computes with, and the scale of each channel."""
    found = {}
    for name, module in simulation.net.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            scale = module.param_quantizers["weight"].get_scale().detach()
            rounded = module.param_quantizers["weight"](module.weight).detach().as_subclass(torch.Tensor)
            found[name] = ((rounded / scale).round(), scale)
    return found


@pytest.mark.parametrize("method", ["min_max", "percentile"])
def test_rounds_up_or_down_and_better_than_to_nearest(run, adaround, make_net, make_scheme, calibration, method):
    scheme = make_scheme(weight_bits=4, calibration=method)
    nearest = calibrate(net=make_net(), scheme=scheme, calibration=calibration)
    learned = run(adaround, method=method)
    net, flipped = make_net(), 0
    for (name, (integers, scale)), (plain, old) in zip(
        weights(learned).items(), weights(nearest).values(), strict=True
    ):
        assert torch.equal(scale, old), "the grid is that of calibration"
        exact = net.get_submodule(name).weight.detach() / scale
        inside = (exact > -8) & (exact < 7)
        assert ((integers - exact).abs()[inside] < 1.001).all(), "one of the two neighbours"
        flipped += int((integers != plain).sum())
    assert flipped > 20
    image = calibration[0]
    with torch.no_grad():
        errors = [(simulation.net(image) - net(image)).square().mean() for simulation in (learned, nearest)]
    assert errors[0] < 0.7 * errors[1]


def test_after_ranges_were_searched_it_rounds_on_these(run, adaround):
    searched = run(SequentialMse(name="seq_mse", candidates=8))
    learned = run(SequentialMse(name="seq_mse", candidates=8), adaround)
    for (name, (_, scale)), (_, wanted) in zip(weights(learned).items(), weights(searched).values(), strict=True):
        assert torch.equal(scale, wanted), name


def test_is_kept_and_reproducible(run, adaround, tmp_path, monkeypatch):
    first = weights(run(adaround))
    assert sorted(path.name for path in (tmp_path / "adaround").iterdir()) == ["weights.encodings", "weights.pt"]
    again = weights(run(adaround, folder=tmp_path / "other"))
    monkeypatch.setattr(AdaRound, "_round", None)  # a finished one is not computed again
    kept = weights(run(adaround))
    for name, (integers, _) in first.items():
        assert torch.equal(integers, again[name][0]) and torch.equal(integers, kept[name][0])


def test_random_numbers_outside_are_untouched(run, adaround, make_net):
    make_net()  # seeds the generator, as it does at the start of `run`
    expected = torch.rand(3)
    run(adaround)
    assert torch.equal(torch.rand(3), expected)


def test_before_training(run, adaround, make_qat):
    simulation = run(adaround, make_qat(), residual="input_to_output")
    assert {"adaround_s", "qat_s"} <= simulation.figures.keys()
    frozen = [p for name, p in simulation.net.named_parameters() if "param_quantizers" in name]
    assert frozen and not any(p.requires_grad for p in frozen)


def test_it_is_quiet(run, adaround, capfd, recwarn):
    run(adaround)
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
    assert not [str(warning) for warning in recwarn if not issubclass(warning.category, DeprecationWarning)]


def test_refuses():
    with pytest.raises(ValueError, match=r"at least 1 iteration, a warm_start in .* got 0, 0.2 and 0.01"):
        AdaRound(name="adaround", iterations=0, regularization=0.01, warm_start=0.2)
