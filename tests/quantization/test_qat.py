import multiprocessing
import os
import signal
import time

import lightning
import pytest
import torch
from torch import nn

from sr.evaluation import to_network
from sr.losses.pixel import L1
from tests.quantization.states import same, state

pytestmark = pytest.mark.aimet


def loss_of(simulation, stream):
    batches = stream(500)
    with torch.no_grad():
        pairs = [next(batches) for _ in range(8)]
        losses = [
            L1()(simulation.net(to_network(lr, simulation.net)), to_network(hr, simulation.net)) for lr, hr in pairs
        ]
    return torch.stack(losses).mean().item()


def test_better_than_calibration_alone(run, make_qat, stream):
    before = loss_of(run(), stream)
    simulation = run(make_qat(iterations=40, learning_rate=1e-3))
    assert loss_of(simulation, stream) < 0.95 * before
    assert not simulation.net.training and all(p.grad is None for p in simulation.net.parameters())
    assert simulation.figures["qat_s"] > 0 and simulation.figures["qat_loss"] > 0


def test_pinned_ranges_stay_and_learned_ones_move(run, make_qat):
    before, after = state(run()), state(run(make_qat(encoding_learning_rate=1e-3)))
    assert after["cnn.1.output_quantizers.0.max"] == 1 and after["cnn.0.input_quantizers.0.max"] == 1
    assert not torch.equal(before["cnn.0.param_quantizers.weight.max"], after["cnn.0.param_quantizers.weight.max"])


def test_ranges_have_a_rate_of_their_own(run, make_qat):
    before, after = state(run()), state(run(make_qat(encoding_learning_rate=0.0)))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved and not any("quantizers" in name for name in moved)


def test_biases_alone(run, make_qat):
    before = state(run())
    after = state(run(make_qat(parameters="biases", encoding_learning_rate=0.0)))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved and all(name.endswith(".bias") for name in moved)


def test_the_teacher_counts(run, make_qat, tmp_path):
    plain = state(run(make_qat(), folder=tmp_path / "a"))
    taught = state(run(make_qat(distillation=1.0), folder=tmp_path / "b"))
    assert not same(plain, taught)


def test_finished_is_not_trained_again(run, make_qat, stream):
    def no_more(start):
        assert start == 20
        return iter(())

    first = run(make_qat())
    again = run(make_qat(), stream=no_more)
    assert same(state(first), state(again))
    assert first.figures["qat_loss"] == again.figures["qat_loss"] and "qat_it_per_s" in again.figures


def test_what_was_made_from_other_weights_is_made_again(run, make_qat, make_net, caplog, tmp_path):
    run(make_qat())
    other = make_net()
    with torch.no_grad():
        other.conv_last.bias += 0.01
    again = state(run(make_qat(), net=other))
    assert "was made from another net or with other settings" in caplog.text
    assert same(again, state(run(make_qat(), net=other, folder=tmp_path / "fresh")))


def test_resumes_to_the_bit(run, make_qat, stream, tmp_path):
    class Killed(Exception):
        pass

    def interrupted(start):
        for position, batch in enumerate(stream(start), start):
            if position == 13:
                raise Killed
            yield batch

    uninterrupted = state(run(make_qat(), folder=tmp_path / "whole"))
    with pytest.raises(Killed):
        run(make_qat(), stream=interrupted)
    assert torch.load(tmp_path / "qat/last.ckpt", weights_only=True)["global_step"] in (
        5,
        10,
    )  # Lightning fetches one chunk ahead
    assert same(uninterrupted, state(run(make_qat())))
    assert [path.name for path in (tmp_path / "qat").iterdir()] == ["last.ckpt"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system, and importing AIMET anew takes long")
def test_survives_sigkill(tmp_path, slow_quantize, one_thread):
    slow_quantize(tmp_path / "whole", 0)  # before the fork, so that AIMET is imported already
    process = multiprocessing.get_context("fork").Process(target=slow_quantize, args=(tmp_path / "killed", 0.05))
    process.start()
    checkpoint = tmp_path / "killed/qat/last.ckpt"
    while not checkpoint.exists():
        assert process.is_alive()
        time.sleep(0.01)
    time.sleep(0.2)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL and not (tmp_path / "killed/simulation.pt").exists()
    assert 0 < torch.load(checkpoint, weights_only=True)["global_step"] < 60
    slow_quantize(tmp_path / "killed", 0)
    a, b = (torch.load(tmp_path / name / "simulation.pt", weights_only=True)["state"] for name in ("whole", "killed"))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a if not name.endswith("_extra_state"))


def test_a_damaged_checkpoint_is_named(run, make_qat, tmp_path):
    (tmp_path / "qat").mkdir()
    (tmp_path / "qat/last.ckpt").write_bytes(b"half a checkpoint")
    with pytest.raises(ValueError, match=r"last.ckpt is damaged .* remove it to make it again"):
        run(make_qat())


def test_a_loss_that_is_no_number_names_its_iteration(run, make_qat, stream, tmp_path):
    class Diverges(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def forward(self, sr, hr):
            self.calls += 1
            return (sr - hr).abs().mean() / (self.calls != 8)

    with pytest.raises(ValueError, match=r"qat: the loss is not a number at iteration 7. Lower its learning_rate"):
        run(make_qat(), loss=Diverges())
    assert torch.load(tmp_path / "qat/last.ckpt", weights_only=True)["global_step"] == 5


def test_a_frozen_net_is_refused(run, make_qat, make_net):
    with pytest.raises(ValueError, match="qat: no weight of the net is trainable"):
        run(make_qat(), net=make_net().requires_grad_(False))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iterations": 0}, "iterations and checkpoint_every of at least 1, got 0 and 5"),
        ({"learning_rate": -1e-5}, "learning rates of at least 0"),
        ({"keep": "first"}, "qat.keep is best or last, got 'first'"),
        ({"parameters": "weights"}, "qat.parameters is all or biases, got 'weights'"),
        ({"decay": "linear"}, "qat.decay is cosine or step or constant, got 'linear'"),
        ({"teacher": "pretrained/quicksrnet_medium"}, "qat.teacher teaches nothing at a distillation of 0"),
        ({"distillation": 2}, r"qat.distillation must be in \[0, 1\], got 2"),
    ],
)
def test_refuses(make_qat, changes, message):
    with pytest.raises(ValueError, match=message):
        make_qat(**changes)


def test_within_another_fit(run, make_qat, tmp_path, stream):
    class Outer(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(1, 1)

        def training_step(self, batch, index):
            return self.layer(torch.ones(1, 1)).mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

        def train_dataloader(self):
            return [0]

        def on_fit_end(self):
            self.inner = state(run(make_qat(), folder=tmp_path / "inner"))

    outer = Outer()
    switches = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    lightning.Trainer(max_steps=1, accelerator="cpu", default_root_dir=tmp_path, **switches).fit(outer)
    assert same(outer.inner, state(run(make_qat(), folder=tmp_path / "alone")))


def test_it_is_quiet(run, make_qat, tmp_path, capfd, recwarn):
    run(make_qat())
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
    assert not [str(warning) for warning in recwarn if not issubclass(warning.category, DeprecationWarning)]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["last.ckpt", "qat"]
