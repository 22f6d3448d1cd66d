import pytest
import torch

from sr.losses.pixel import L1
from sr.quantization.pipeline import quantize
from sr.quantization.sequential_mse import SequentialMse

pytestmark = pytest.mark.aimet
STAGE = SequentialMse(name="seq_mse", candidates=10)


@pytest.fixture
def run(make_net, make_scheme, calibration, stream, score, tmp_path):
    def quantized(*chain, bits=4, folder=tmp_path):
        inputs = {"stream": stream, "loss": L1(), "score": score, "folder": folder, "seed": 0}
        scheme = make_scheme(chain=chain, weight_bits=bits)
        return quantize(net=make_net(), scheme=scheme, calibration=calibration, **inputs)

    return quantized


def error(simulation, net, calibration):
    with torch.no_grad():
        return torch.stack([(simulation.net(batch) - net(batch)).square().mean() for batch in calibration]).mean()


def test_smaller_error_by_narrower_ranges(run, make_net, calibration):
    plain, searched = run(), run(STAGE)
    before, after = plain.weight_ranges(), searched.weight_ranges()
    assert all((after[name][1] <= before[name][1] + 1e-6).all() for name in before)
    assert any((after[name][1] < 0.95 * before[name][1]).any() for name in before)
    assert error(searched, make_net(), calibration) < 0.9 * error(plain, make_net(), calibration)


def test_eight_bits_are_searched_too(run):
    before, after = run(bits=8).weight_ranges(), run(STAGE, bits=8).weight_ranges()
    assert any(not torch.allclose(after[name][1], before[name][1]) for name in before)


def test_is_kept_and_survives_training(run, make_qat, monkeypatch):
    first = run(STAGE).weight_ranges()
    monkeypatch.setattr(SequentialMse, "_search", None)  # a finished one is not searched again
    again = run(STAGE, make_qat(iterations=10)).weight_ranges()
    assert all(torch.equal(first[name][1], again[name][1]) for name in first)


def test_refuses_one_candidate():
    with pytest.raises(ValueError, match=r"seq_mse\.candidates must be at least 2, got 1"):
        SequentialMse(name="seq_mse", candidates=1)
