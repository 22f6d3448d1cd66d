"""One training task: steps, precision, average, refusals; and that a fit stopped anywhere goes on bit for bit."""

import pytest
import torch
from torch import nn

from sr.models.quicksrnet import QuickSRNet
from sr.tasks.ema import WeightAverage
from sr.tasks.regression import Regression
from tests.tasks.tiny import NET, batch, check_resume, fit, settings


def task(**changes):
    return Regression(**settings(**changes))


def test_every_optimizer_step_is_counted_once(tmp_path):
    module = task()
    trainer = fit(module, tmp_path, steps=23)
    assert trainer.global_step == 23
    assert trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(1e-3 * 0.5**2)
    assert torch.isfinite(trainer.callback_metrics["val/psnr_y_db"])


def test_a_heldout_image_that_cannot_be_scored_is_named_before_training(tmp_path):
    module = task()
    module.scale = 30  # a border that leaves 4 of the 64 pixels
    with pytest.raises(ValueError, match=r"held-out image .*: an image of 64x64 pixels is too small to score"):
        fit(module, tmp_path, steps=5)
    assert module.global_step == 0


def test_steps_are_those_of_a_plain_loop(tmp_path):
    module, plain = task(ema_decay=0), task(ema_decay=0)
    fit(module, tmp_path, steps=12)
    optimizer = torch.optim.Adam(plain.net.parameters(), lr=1e-3, fused=True)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.5)
    for number in range(12):
        lr, hr = (each.to(torch.float32, memory_format=torch.channels_last) / 255 for each in batch(number))
        loss = (plain.net(lr) - hr).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    for ours, theirs in zip(module.net.parameters(), plain.net.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


@pytest.mark.parametrize("stop", [5, 10, 15])
def test_a_resumed_fit_equals_an_uninterrupted_one_bit_for_bit(tmp_path, stop):
    check_resume(task, tmp_path, steps=30, stop=stop)


def test_the_best_weights_are_deployed_and_survive_a_resume(tmp_path):
    check_resume(lambda: task(keep="best"), tmp_path / "resume", steps=30, stop=15)
    module = task(keep="best")
    fit(module, tmp_path / "whole", steps=30, val_every=1)
    best = module.best
    assert best is not None and 0 < best.iteration <= 30 and module.facts() == {"kept_iteration": best.iteration}
    best.iteration, best.psnr_db = 1, best.psnr_db + 1
    kept = [parameter.clone() for parameter in module.deployable().parameters()]
    nn.init.zeros_(next(module.average.net.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(kept, module.deployable().parameters(), strict=True))


def test_bf16_gives_way_to_fp32(tmp_path):
    seen = []

    class Watching(QuickSRNet):
        def forward(self, lr):
            sr = super().forward(lr)
            seen.append((self.training, sr.dtype))
            return sr

    fit(task(net=Watching(**NET), precision="bf16", fp32_from=7), tmp_path, steps=10, val_every=1)
    assert [kind for training, kind in seen if training] == [torch.bfloat16] * 7 + [torch.float32] * 3
    assert {kind for training, kind in seen if not training} == {torch.float32}


def test_a_non_finite_loss_stops_and_keeps_its_batch(tmp_path):
    class Breaks(nn.Module):
        calls = 0

        def forward(self, sr, hr):
            self.calls += 1
            return (sr - hr).abs().mean() * (float("nan") if self.calls == 8 else 1)

    with pytest.raises(ValueError, match=r"the loss became nan at iteration 7; its batch is in .*nonfinite_7\.pt"):
        fit(task(loss=Breaks()), tmp_path, steps=20)
    saved = torch.load(tmp_path / "nonfinite_7.pt", weights_only=True)
    assert torch.equal(saved["hr"], batch(7)[1])


def test_deployable_is_a_copy_of_the_average(tmp_path):
    module = task()
    net = module.deployable()
    for average, copied in zip(module.average.net.parameters(), net.parameters(), strict=True):
        assert torch.equal(average, copied)
        assert average.data_ptr() != copied.data_ptr()
        assert copied.is_contiguous() and copied.requires_grad


def test_average_by_its_definition():
    net, step = nn.Linear(1, 1, bias=False), 500
    average = WeightAverage(net, 0.9)
    before = average.net.weight.item()
    with torch.no_grad():
        net.weight += 1
    average.update(net, step)
    assert average.net.weight.item() == pytest.approx(before + 0.1, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"precision": "fp16"}, "fp32 or bf16, got 'fp16'"), ({"ema_decay": 1.5}, r"in \(0, 1\), got 1.5")],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        task(**changes)
