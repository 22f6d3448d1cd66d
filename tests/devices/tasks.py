"""Fits of every kind of task, run in one process or shared by several."""

import functools
from pathlib import Path

import lightning
import torch
from torch import nn

from sr.data.pairs import ImagePair, Selection
from sr.devices.collectives import own_rows, send_state
from sr.devices.synced_batch_norm import synced_batch_norms
from sr.evaluation import upscaler
from sr.losses.adversarial import RelativisticAverage
from sr.losses.perceptual_loss import NoPerceptualLoss
from sr.models.blocks import inference_form
from sr.models.discriminators import SRGANDiscriminator
from sr.models.quicksrnet import QuickSRNet
from sr.models.srresnet import SRResNet
from sr.optimizers.soap import Soap
from sr.tasks.distillation import Distillation
from sr.tasks.gan import Gan
from sr.tasks.magnitude_pruning import Pruning
from sr.tasks.regression import Regression
from tests.tasks.tiny import NET, net, settings

ADAM = functools.partial(torch.optim.Adam, lr=1e-4)
SOAP = functools.partial(
    Soap, lr=1e-3, betas=(0.95, 0.95), shampoo_beta=0.95, eps=1e-8, precondition_frequency=10, max_axis=1024
)
STEADY = functools.partial(torch.optim.lr_scheduler.ConstantLR, factor=1.0)


def batch(number: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Four smooth pairs that depend on the number alone; equal rows would hide a wrong share."""
    generator = torch.Generator().manual_seed(number)
    coarse = torch.rand(4, 3, 8, 8, generator=generator)
    hr = torch.nn.functional.interpolate(coarse, scale_factor=4, mode="bilinear").mul(255).byte()
    return hr[..., ::2, ::2].contiguous(), hr


class Crops(lightning.LightningDataModule):
    """Chunks of the rows of this process, and three held-out images."""

    def train_dataloader(self):
        """Yield five batches at a time."""
        at, stop = self.trainer.global_step, self.trainer.max_steps
        while True:
            end = min(at + 5, stop) if at < stop else at + 5
            yield [tuple(own_rows(each) for each in batch(i)) for i in range(at, end)]
            at = end

    def val_dataloader(self):
        """Return three images."""
        images = [batch(i)[1][0].repeat(1, 2, 2).permute(1, 2, 0).numpy() for i in range(3)]
        pairs = [ImagePair(str(i), image[::2, ::2].copy(), image) for i, image in enumerate(images)]
        return Selection(pairs, range(3))


class Difference(nn.Module):
    """Mean absolute difference in float64."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, lr, hr):
        """Return the loss of uint8 images."""
        return (self.net(lr.double() / 255) - hr.double() / 255).abs().mean()


class Double(Regression):
    """Regression in float64: rounding to float32 grows by the sign of an L1 gradient and by SOAP's eigenvectors."""

    def objective(self, bf16):
        """Return the loss in float64."""
        return Difference(self.net)

    def on_validation_epoch_start(self):
        """Score in float32."""
        self.quality.reset()
        self.quality.start_empty()
        self.upscale = upscaler(inference_form(self.trained_net()).float())


def small() -> QuickSRNet:
    """QuickSRNet-S."""
    torch.manual_seed(0)
    return QuickSRNet(**NET | dict(f=32, m=2))


def normalized() -> SRResNet:
    """A generator with batch normalization."""
    torch.manual_seed(0)
    return SRResNet(f=8, m=1, scale=2, standardized=False, normalization="batch")


def gan(**changes) -> Gan:
    """Adversarial training with a discriminator that has batch normalization, and a mean over the batch in its loss."""
    torch.manual_seed(3)
    own = dict(
        discriminator=SRGANDiscriminator(f=4, hr_patch=32),
        adversarial=RelativisticAverage(),
        perceptual=NoPerceptualLoss(),
        content_weight=1.0, perceptual_weight=0.0, adversarial_weight=0.1, grid_weight=0.1, perceptual_shifts=1,
        batch_size=4, hr_patch=32, discriminator_updates=1,
        discriminator_optimizer=ADAM, discriminator_scheduler=STEADY,
    )  # fmt: skip
    return Gan(**settings(optimizer=ADAM, scheduler=STEADY, net=net(), **own) | changes)


def task(kind: str):
    """Make a task."""
    common = dict(optimizer=ADAM, scheduler=STEADY)
    match kind:
        case "adam":
            return Regression(**settings(net=small(), **common))
        case "soap":
            return Double(**settings(net=small().double(), optimizer=SOAP, scheduler=STEADY))
        case "batch norm":
            return Double(**settings(net=normalized().double(), **common))
        case "distillation":
            own = dict(teacher=net(1, f=12, m=2), share=0.5, layers=[["cnn.1", "cnn.3"]], feature_weight=0.1)
            return Distillation(**settings(**common, **own))
        case "pruning":
            own = dict(rounds=2, fraction=0.2, rewind=0.5, iterations=35, scope="global", optimizer_state="rewound")
            return Pruning(**settings(**common, **own))
    return gan()


KINDS = {"adam": 200, "soap": 60, "batch norm": 20, "distillation": 20, "pruning": 35, "gan": 20}
"""Iterations of each fit."""


def fit(kind: str, folder: Path, steps: int, ckpt: Path | None = None):
    """Fit a task; returns its trainer."""
    module = task(kind)
    send_state([module])
    trainer = lightning.Trainer(
        accelerator="cpu", max_steps=steps, max_epochs=-1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, default_root_dir=str(folder),
        check_val_every_n_epoch=None, val_check_interval=2, devices=1,
    )  # fmt: skip
    with synced_batch_norms([module]):
        trainer.fit(module, datamodule=Crops(), ckpt_path=ckpt)
    return trainer


def all_fits(folder: str) -> dict:
    """Fit every task; returns weights and metrics."""
    found = {}
    for kind, steps in KINDS.items():
        place = Path(folder) / kind
        place.mkdir(parents=True, exist_ok=True)
        trainer = fit(kind, place, steps)
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        found[kind] = {"state": trainer.lightning_module.state_dict(), "metrics": metrics}
    return found
