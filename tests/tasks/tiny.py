"""A task small enough to be trained in a test: what it is made of, its crops, and a fit without anything around it."""

import functools

import lightning
import torch

from sr.data.pairs import ImagePair, Selection
from sr.losses.pixel import L1
from sr.models.quicksrnet import QuickSRNet

SIZE = dict(f=8, m=1, scale=2, activation="relu1", init="identity", identity_x1_5="fixed")
NET = dict(**SIZE, residual="none", upscaling="space_to_depth", overparameterize="none")


def net(seed=0, **changes):
    """A QuickSRNet of 8 features."""
    torch.manual_seed(seed)
    return QuickSRNet(**NET | changes)


def settings(**changes):
    """The arguments of `Regression`."""
    made = dict(
        loss=L1(),
        optimizer=functools.partial(torch.optim.Adam, lr=1e-3, fused=True),
        scheduler=functools.partial(torch.optim.lr_scheduler.StepLR, step_size=10, gamma=0.5),
        precision="fp32",
        fp32_from=0,
        ema_decay=0.9,
        protocol="y",
        cuda_graphs="auto",
        keep="last",
    )
    return {**made, "net": changes.pop("net", None) or net(), **changes}


def batch(number):
    """Two pairs that depend on the number alone."""
    generator = torch.Generator().manual_seed(number)
    hr = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8, generator=generator)
    return hr[..., ::2, ::2], hr


class Crops(lightning.LightningDataModule):
    """Endless chunks of batches, from wherever the fit is."""

    def __init__(self, chunk):
        super().__init__()
        self.chunk = chunk

    def train_dataloader(self):
        at, stop = self.trainer.global_step, self.trainer.max_steps
        while True:  # endless, as the real one: Lightning does not see a shorter one's end in a resumed fit
            end = min(at + self.chunk, stop) if at < stop else at + self.chunk
            yield [batch(i) for i in range(at, end)]
            at = end

    def val_dataloader(self):
        _, hr = batch(0)
        hr = hr[0].repeat(1, 4, 4).permute(1, 2, 0).numpy()
        return Selection([ImagePair("a", hr[::2, ::2].copy(), hr)], [0])  # a list would be several loaders


def fit(module, folder, steps, chunk=5, ckpt=None, val_every=2):
    """Train up to a count of steps; returns the trainer."""
    trainer = lightning.Trainer(
        accelerator="cpu", max_steps=steps, max_epochs=-1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, default_root_dir=str(folder),
        check_val_every_n_epoch=None, val_check_interval=val_every,
    )  # fmt: skip
    trainer.fit(module, datamodule=Crops(chunk), ckpt_path=ckpt)
    return trainer


def check_resume(make, folder, steps, stop):
    """Fit `make()` whole, and stopped and resumed: the same state, bit for bit; returns both tasks."""
    whole, first, second = make(), make(), make()
    fit(whole, folder, steps=steps)
    fit(first, folder, steps=stop).save_checkpoint(folder / "last.ckpt")
    fit(second, folder, steps=steps, ckpt=folder / "last.ckpt")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name
    return whole, second
