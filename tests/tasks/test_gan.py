"""Adversarial training: who gets which gradient, what counts as an iteration, exact resume, the bare loop's numbers."""

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn

from sr.callbacks.checkpoint import LastCheckpoint
from sr.data.pairs import ImagePair, Selection
from sr.losses.adversarial import RelativisticAverage, Standard
from sr.losses.perceptual_loss import NoPerceptualLoss, PerceptualLoss
from sr.models.discriminators import ESRGANDiscriminator, PatchDiscriminator, SRGANDiscriminator, UNetDiscriminator
from sr.models.interpolation import Bicubic
from sr.models.mesrnet import MESRNet
from sr.models.quicksrnet import QuickSRNet
from sr.models.rrdbnet import RRDBNet
from sr.models.srresnet import SRResNet
from sr.tasks.gan import Gan
from tests.tasks.tiny import NET, settings

PLAIN = dict(scale=2, standardized=False)
GENERATORS = {
    "quicksrnet": lambda: QuickSRNet(**NET),
    "srresnet": lambda: SRResNet(**PLAIN, f=8, m=1, normalization="batch"),
    "rrdbnet": lambda: RRDBNet(**PLAIN, f=8, growth=4, m=1),
    "mesrnet": lambda: MESRNet(**PLAIN, f=8, growth=4, m=1, expansion=1),
}
DISCRIMINATORS = {
    "patch": lambda: PatchDiscriminator(f=4, num_halvings=2, normalization="spectral"),
    "unet": lambda: UNetDiscriminator(hr_patch=32, f=4),
    "srgan": lambda: SRGANDiscriminator(hr_patch=32, f=4),
    "esrgan": lambda: ESRGANDiscriminator(hr_patch=32, f=4),
}


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory) -> str:
    """A weights file, random (seed 0): only that gradients flow is asked here."""
    from torchvision import models

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "squeezenet.pt"
    torch.save(models.squeezenet1_0(weights=None).state_dict(), path)
    return str(path)


def task(seed=0, **changes):
    torch.manual_seed(seed)
    plain = settings(cuda_graphs="never")
    game = dict(
        discriminator=PatchDiscriminator(f=4, num_halvings=2, normalization="none"), adversarial=RelativisticAverage(),
        perceptual=NoPerceptualLoss(), content_weight=0.01, perceptual_weight=1.0, adversarial_weight=0.1,
        grid_weight=0.1, perceptual_shifts=1, batch_size=2, hr_patch=32, discriminator_updates=1,
        discriminator_optimizer=plain["optimizer"], discriminator_scheduler=plain["scheduler"],
    )  # fmt: skip
    return Gan(**plain | game | changes)


def batch(number, images=2):
    hr = torch.randint(0, 256, (images, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(number))
    return hr[..., ::2, ::2], hr


class Crops(lightning.LightningDataModule):
    def __init__(self, chunk, images):
        super().__init__()
        self.chunk, self.images = chunk, images

    def train_dataloader(self):
        at, stop = self.trainer.global_step, self.trainer.max_steps
        while True:
            end = min(at + self.chunk, stop) if at < stop else at + self.chunk
            yield [batch(i, self.images) for i in range(at, end)]
            at = end

    def val_dataloader(self):
        hr = batch(0)[1][0].repeat(1, 2, 2).permute(1, 2, 0).numpy()
        return Selection([ImagePair("a", hr[::2, ::2].copy(), hr)], [0])


def fit(module, folder, steps, chunk=5, ckpt=None, callbacks=(), images=2):
    trainer = lightning.Trainer(
        accelerator="cpu", max_steps=steps, max_epochs=-1, logger=False, callbacks=list(callbacks),
        enable_checkpointing=bool(callbacks), enable_progress_bar=False, enable_model_summary=False,
        num_sanity_val_steps=0, default_root_dir=str(folder), check_val_every_n_epoch=None, val_check_interval=2,
    )  # fmt: skip
    trainer.fit(module, datamodule=Crops(chunk, images), ckpt_path=ckpt)
    return trainer


class Count(Callback):
    """How often each optimizer was really stepped."""

    def on_train_start(self, trainer, task):
        self.counts = [0, 0]
        for i, optimizer in enumerate(trainer.optimizers):
            optimizer.register_step_post_hook(lambda *_, i=i: self.counts.__setitem__(i, self.counts[i] + 1))


@pytest.mark.parametrize("game", [Standard(), RelativisticAverage()])
@pytest.mark.parametrize("discriminator", DISCRIMINATORS)
@pytest.mark.parametrize("generator", GENERATORS)
def test_each_term_reaches_every_generator_parameter_and_nothing_else(generator, discriminator, game, squeezenet):
    """A loss that is cut off from the generator trains nothing, in silence; so each is asked alone."""
    layers = {"fire2": 1.0}
    perceptual = PerceptualLoss(network="squeezenet1_0", weights=squeezenet, layers=layers, criterion="l1")
    module = task(
        net=GENERATORS[generator](), discriminator=DISCRIMINATORS[discriminator](), adversarial=game,
        perceptual=perceptual,
    )  # fmt: skip
    lr, hr = (each.float() / 255 for each in batch(0))
    for name in ("content", "perceptual", "adversarial", "grid"):
        module.zero_grad()
        module.generator_terms(module.net(lr), hr, iteration=0)[name].backward()
        idle = [key for key, p in module.net.named_parameters() if p.grad is None or not p.grad.any()]
        assert not idle, f"{name} does not reach {idle}"
        reached = [k for k, p in module.named_parameters() if p.grad is not None and not k.startswith("net.")]
        assert not reached, f"{name} reaches {reached}"
    assert all(parameter.requires_grad for parameter in module.discriminator.parameters()), "it learns in its own step"


@pytest.mark.parametrize(("updates", "expected"), [(1, 23), (2, 46), (0.5, 12), (0.4, 10)])
def test_iterations_are_those_of_the_generator(tmp_path, updates, expected):
    count, saver = Count(), LastCheckpoint(every=10)
    module = task(discriminator_updates=updates)
    trainer = fit(module, tmp_path, steps=23, callbacks=[count, saver])
    assert trainer.global_step == 23
    assert count.counts == [23, expected]
    rates = [optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers]
    assert rates == [pytest.approx(1e-3 * 0.5**2)] * 2, "both schedules count iterations"
    assert torch.load(tmp_path / "checkpoints/last.ckpt", weights_only=True)["global_step"] == 23


@pytest.mark.parametrize("stop", [5, 15])
@pytest.mark.parametrize(("generator", "discriminator"), [("srresnet", "esrgan"), ("quicksrnet", "patch")])
def test_a_resumed_fit_equals_an_uninterrupted_one_bit_for_bit(tmp_path, generator, discriminator, stop):
    def make(seed):
        nets = dict(net=GENERATORS[generator](), discriminator=DISCRIMINATORS[discriminator]())
        return task(seed, **nets, discriminator_updates=0.5)

    torch.manual_seed(0)
    whole = make(0)
    state = {name: value.clone() for name, value in whole.state_dict().items()}
    whole_trainer = fit(whole, tmp_path, steps=25)
    first, second = make(1), make(2)  # started elsewhere: everything must come from the checkpoint
    first.load_state_dict(state)
    fit(first, tmp_path, steps=stop).save_checkpoint(tmp_path / "last.ckpt")
    second_trainer = fit(second, tmp_path, steps=25, ckpt=tmp_path / "last.ckpt")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name
    for ours, theirs in zip(whole_trainer.optimizers, second_trainer.optimizers, strict=True):
        for a, b in zip(ours.state.values(), theirs.state.values(), strict=True):
            assert all(torch.equal(a[key], b[key]) for key in a)


def test_steps_are_those_of_a_plain_loop(tmp_path):
    module, plain = task(ema_decay=0, grid_weight=0), task(ema_decay=0, grid_weight=0)
    fit(module, tmp_path, steps=12)
    optimizers = [torch.optim.Adam(net.parameters(), lr=1e-3, fused=True) for net in (plain.net, plain.discriminator)]
    schedules = [torch.optim.lr_scheduler.StepLR(optimizer, 10, 0.5) for optimizer in optimizers]
    bce = nn.functional.binary_cross_entropy_with_logits
    for number in range(12):
        lr, hr = (each.to(torch.float32, memory_format=torch.channels_last) / 255 for each in batch(number))
        sr = plain.net(lr)
        fake, real = plain.discriminator(sr), plain.discriminator(hr).detach()
        game = bce(real - fake.mean(), torch.zeros_like(real)) + bce(fake - real.mean(), torch.ones_like(real))
        optimizers[0].zero_grad()
        (0.01 * (sr - hr).abs().mean() + 0.1 * game / 2).backward()
        optimizers[0].step()
        optimizers[1].zero_grad()
        real, fake = plain.discriminator(hr), plain.discriminator(sr.detach())
        (bce(real - fake.detach().mean(), torch.ones_like(real)) / 2).backward()
        (bce(fake - real.detach().mean(), torch.zeros_like(real)) / 2).backward()
        optimizers[1].step()
        for schedule in schedules:
            schedule.step()
    for part in ("net", "discriminator"):
        for ours, theirs in zip(getattr(module, part).parameters(), getattr(plain, part).parameters(), strict=True):
            if ours.numel() > 1:  # the last bias: this game does not see a constant, so its gradient is rounding
                torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-5)


def test_bf16_gives_way_to_fp32_for_both_nets_at_once(tmp_path):
    seen = []

    class Watching(PatchDiscriminator):
        def forward(self, images):
            logits = super().forward(images)
            seen.append((images.dtype, logits.dtype))
            return logits

    fit(
        task(discriminator=Watching(f=4, num_halvings=2, normalization="none"), precision="bf16", fp32_from=3),
        tmp_path,
        steps=5,
    )
    fakes = [seen[i] for call in range(5) for i in (4 * call, 4 * call + 3)]  # of the generator's step, of its own
    assert fakes == [(torch.bfloat16, torch.bfloat16)] * 6 + [(torch.float32, torch.float32)] * 4


def test_health_panel_is_logged(tmp_path):
    figures = fit(task(), tmp_path, steps=5).callback_metrics
    terms = ("content", "perceptual", "adversarial", "grid")
    names = {*terms, "loss", "discriminator", "d_real", "d_fake", "grad_norm_generator", "grad_norm_discriminator"}
    assert {name.removeprefix("train/") for name in figures if name.startswith("train/")} == names
    assert sum(figures[f"train/{name}"] for name in terms) == pytest.approx(float(figures["train/loss"]), rel=1e-5)
    assert figures["step"] == 5, "of one chunk"
    assert 0 < figures["train/d_real"] < 1 and figures["train/grad_norm_discriminator"] > 0


def test_a_non_finite_loss_of_the_discriminator_stops(tmp_path):
    class Breaks(PatchDiscriminator):
        calls = 0

        def forward(self, images):
            self.calls += self.training
            return super().forward(images) * (float("nan") if self.calls == 4 * 7 + 3 else 1)  # 4 calls an iteration

    message = r"nan at iteration 7; its batch is in .*nonfinite_7\.pt\. Lower optimizer\.lr or task\.discriminator_opt"
    with pytest.raises(ValueError, match=message):
        fit(task(discriminator=Breaks(f=4, num_halvings=2, normalization="none")), tmp_path, steps=20)


def test_a_batch_of_one_is_refused_with_batch_normalization_only(tmp_path):
    with pytest.raises(ValueError, match=r"batches of at least 2, got 1; raise data\.batch_size, or use task/discrim"):
        task(discriminator=DISCRIMINATORS["srgan"](), batch_size=1)
    assert fit(task(batch_size=1), tmp_path, steps=2, images=1).global_step == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"net": Bicubic(scale=2)}, "Bicubic has no weights; use task=regression"),
        ({"content_weight": -1}, "weights of at least 0"),
        ({"discriminator_updates": 0}, "discriminator_updates above 0"),
        ({"perceptual_shifts": 0}, "perceptual_shifts of at least 1"),
        ({"perceptual_shifts": 32}, "perceptual_shifts=32 is too large for a patch of 32 HR pixels"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        task(**changes)


def test_the_perceptual_net_looks_from_every_offset_once():
    module, image = task(perceptual_shifts=4), torch.arange(256.0).view(1, 1, 16, 16)
    cuts = [module.shifted(image, image + 1, iteration=i) for i in range(16)]
    assert all(torch.equal(a + 1, b) and a.shape[-2:] == (12, 12) for a, b in cuts), "both images at one place"
    assert {int(a[0, 0, 0, 0]) for a, _ in cuts} == {16 * top + left for top in range(4) for left in range(4)}
