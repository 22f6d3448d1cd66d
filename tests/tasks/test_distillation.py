"""Distillation: what is minimised, what is refused, and that a fit stopped anywhere goes on bit for bit."""

import functools

import pytest
import torch

from sr.evaluation import to_network
from sr.losses.distillation_loss import attention_distance
from sr.tasks.distillation import Distillation
from sr.tasks.regression import Regression
from tests.tasks.tiny import batch, check_resume, fit, net, settings


def task(**changes):
    own = dict(teacher=net(1, f=12, m=2), share=0.5, layers=[["cnn.1", "cnn.3"]], feature_weight=0.1)
    return Distillation(**settings(**own | changes))


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
    steady = functools.partial(torch.optim.lr_scheduler.ConstantLR, factor=1.0)
    module = task(teacher=teacher, share=1.0, layers=[], ema_decay=0, scheduler=steady)
    x = to_network(batch(99)[0], teacher)
    before = (module.net(x) - teacher(x)).abs().mean()
    fit(module, tmp_path, steps=60)
    assert (module.net(x) - teacher(x)).abs().mean() < 0.5 * before


def test_without_a_share_it_is_regression_bit_for_bit(tmp_path):
    alone, plain = task(share=0, layers=[]), Regression(**settings())
    for module in (alone, plain):
        fit(module, tmp_path, steps=10)
    assert alone.state_dict().keys() == plain.state_dict().keys(), "no checkpoint holds the teacher"
    for name, value in plain.state_dict().items():
        assert torch.equal(value, alone.state_dict()[name]), name


def test_a_resumed_fit_equals_an_uninterrupted_one_bit_for_bit(tmp_path):
    check_resume(task, tmp_path, steps=20, stop=10)


def test_another_teacher_at_a_resume_is_refused(tmp_path):
    fit(task(), tmp_path, steps=5).save_checkpoint(tmp_path / "last.ckpt")
    with pytest.raises(ValueError, match="the teacher's weights have changed since this run started"):
        fit(task(teacher=net(2, f=12, m=2)), tmp_path, steps=10, ckpt=tmp_path / "last.ckpt")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teacher": net(scale=3)}, "the teacher is for x3 and the student for x2.*or set scale=3"),
        ({"share": 1.5}, r"task.share must be in \[0, 1\], got 1.5"),
        ({"feature_weight": -1}, "at least 0, got -1"),
        ({"layers": [["cnn.1", "body"]]}, r"the teacher \(QuickSRNet\) has no layer 'body'; it has cnn, cnn.0"),
        ({"layers": ["cnn"]}, "needs pairs .* got 'cnn'"),
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
