"""Distillation: what is minimised, what is refused, and that a fit stopped anywhere goes on bit for bit."""

import functools

import lightning
import pytest
import torch

from sr.data.pairs import ImagePair, Selection
from sr.evaluation import to_network
from sr.losses.distillation import attention_distance
from sr.losses.pixel import L1
from sr.models.quicksrnet import QuickSRNet
from sr.tasks.distillation import Distillation
from sr.tasks.regression import Regression

FIXED = dict(
    activation="relu1", init="identity", identity_x1_5="fixed", residual="none", upscaling="space_to_depth",
    overparameterize="none",
)  # fmt: skip


def net(seed=0, f=8, m=1, scale=2):
    torch.manual_seed(seed)
    return QuickSRNet(f=f, m=m, scale=scale, **FIXED)


def task(kind=Distillation, **changes):
    settings = dict(
        net=net(),
        loss=L1(),
        optimizer=functools.partial(torch.optim.Adam, lr=1e-3, fused=True),
        scheduler=functools.partial(torch.optim.lr_scheduler.ConstantLR, factor=1.0),
        precision="fp32",
        fp32_from=0,
        ema_decay=0.9,
        protocol="y",
        capture="auto",
    )
    if kind is Distillation:
        settings |= dict(teacher=net(1, f=12, m=2), share=0.5, layers=[["cnn.1", "cnn.3"]], feature_weight=0.1)
    return kind(**settings | changes)


def batch(number):
    hr = torch.randint(
        0, 256, (2, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(number)
    )  # fmt: skip
    return hr[..., ::2, ::2], hr


class Crops(lightning.LightningDataModule):
    def train_dataloader(self):
        at, stop = self.trainer.global_step, self.trainer.max_steps
        while True:
            end = min(at + 5, stop) if at < stop else at + 5
            yield [batch(i) for i in range(at, end)]
            at = end

    def val_dataloader(self):
        hr = batch(0)[1][0].repeat(1, 4, 4).permute(1, 2, 0).numpy()
        return Selection([ImagePair("a", hr[::2, ::2].copy(), hr)], [0])


def fit(module, folder, steps, ckpt=None):
    trainer = lightning.Trainer(
        accelerator="cpu", max_steps=steps, max_epochs=-1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, default_root_dir=str(folder),
        check_val_every_n_epoch=None, val_check_interval=2,
    )  # fmt: skip
    trainer.fit(module, datamodule=Crops(), ckpt_path=ckpt)
    return trainer


def test_the_loss_by_its_definition():
    module, (lr, hr) = task(), batch(3)
    student, teacher, x = module.net, net(1, f=12, m=2), to_network(lr, module.net)
    sr, taught = student(x), teacher(x)
    features = attention_distance(student.cnn[:2](x), teacher.cnn[:4](x))
    wanted = 0.5 * (sr - hr / 255).abs().mean() + 0.5 * (sr - taught).abs().mean() + 0.1 * features
    loss = module.objective(False)(lr, hr)
    torch.testing.assert_close(loss, wanted)
    assert features > 0
    loss.backward()
    assert all(parameter.grad is not None for parameter in student.parameters())


def test_a_student_of_the_teacher_alone_comes_close_to_it(tmp_path):
    teacher = net(1)
    module = task(teacher=teacher, share=1.0, layers=[], ema_decay=0)
    x = to_network(batch(99)[0], teacher)
    before = (module.net(x) - teacher(x)).abs().mean()
    fit(module, tmp_path, steps=60)
    assert (module.net(x) - teacher(x)).abs().mean() < 0.5 * before


def test_without_a_share_it_is_regression_bit_for_bit(tmp_path):
    alone, plain = task(share=0, layers=[]), task(Regression)
    for module in (alone, plain):
        fit(module, tmp_path, steps=10)
    assert alone.state_dict().keys() == plain.state_dict().keys(), "no checkpoint holds the teacher"
    for name, value in plain.state_dict().items():
        assert torch.equal(value, alone.state_dict()[name]), name


def test_a_resumed_fit_equals_an_uninterrupted_one_bit_for_bit(tmp_path):
    whole, first, second = task(), task(), task()
    fit(whole, tmp_path, steps=20)
    fit(first, tmp_path, steps=10).save_checkpoint(tmp_path / "last.ckpt")
    fit(second, tmp_path, steps=20, ckpt=tmp_path / "last.ckpt")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_another_teacher_at_a_resume_is_refused(tmp_path):
    fit(task(), tmp_path, steps=5).save_checkpoint(tmp_path / "last.ckpt")
    with pytest.raises(ValueError, match="the teacher has other weights than when this run started"):
        fit(task(teacher=net(2, f=12, m=2)), tmp_path, steps=10, ckpt=tmp_path / "last.ckpt")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teacher": net(scale=3)}, "the teacher is for x3 and the student for x2.*or set scale=3"),
        ({"share": 1.5}, r"task.share is a share in \[0, 1\], got 1.5"),
        ({"feature_weight": -1}, "at least 0, got -1"),
        ({"layers": [["cnn.1", "body"]]}, r"the teacher \(QuickSRNet\) has no layer 'body'; it has cnn, cnn.0"),
        ({"layers": ["cnn"]}, "has pairs .* got 'cnn'"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        task(**changes)


def test_a_teacher_of_another_colour_is_refused():
    teacher = net()
    teacher.color = "y"
    with pytest.raises(ValueError, match="the teacher upscales y and the student rgb"):
        task(teacher=teacher)
