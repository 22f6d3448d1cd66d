"""QAT that imitates another float net."""

import dataclasses

import pytest
import torch
import yaml

from sr.evaluation import to_network
from sr.models.weights import save_weights
from sr.quantization.pipeline import check
from tests.quantization.conftest import ROOT, crops
from tests.quantization.states import same, state

pytestmark = pytest.mark.aimet


def keep(net, path, **changes):
    """Write a net as a run does; returns the file's name."""
    model = yaml.safe_load((ROOT / "conf/model/quicksrnet.yaml").read_text()) | {"f": 8, "m": 1, "scale": 2} | changes
    save_weights(net, path, {"config": {"model": model}})
    return str(path)


def test_a_larger_float_net_can_teach(run, make_qat, make_net, tmp_path):
    def taught(teacher, into):
        return run(
            make_qat(iterations=40, learning_rate=1e-3, distillation=1.0, teacher=teacher), folder=tmp_path / into
        )

    larger, student = make_net(f=12, m=2), make_net()
    with torch.no_grad():
        larger.conv_last.weight *= 0.9
    path = keep(larger, tmp_path / "larger.safetensors", f=12, m=2)
    lr = to_network(next(crops(700))[0], student)
    with torch.no_grad():
        wanted = larger(lr)
        far, near = ((run_of.net(lr) - wanted).abs().mean() for run_of in (taught(None, "own"), taught(path, "larger")))
    assert near < 0.8 * far


def test_a_teacher_of_another_scale_or_nowhere_is_refused(run, make_qat, make_net, tmp_path):
    path = keep(make_net(scale=3), tmp_path / "x3.safetensors", scale=3)
    with pytest.raises(ValueError, match="the teacher is for x3 and the student for x2"):
        run(make_qat(distillation=0.5, teacher=path))
    with pytest.raises(ValueError, match="no trained net at"):
        run(make_qat(distillation=0.5, teacher=str(tmp_path / "none")))


def test_a_teacher_is_checked_without_training(make_scheme, make_qat, make_net, tmp_path):
    path = keep(make_net(scale=3), tmp_path / "x3.safetensors", scale=3)
    scheme = make_scheme(chain=[make_qat(distillation=0.5, teacher=path)])
    check(make_net(scale=3), scheme)
    with pytest.raises(ValueError, match="the teacher is for x3 and the student for x2"):
        check(make_net(), scheme)
    check(make_net(), dataclasses.replace(scheme, chain=[]))  # a step that is not taken
    check(make_net(), make_scheme(chain=[make_qat(distillation=0.5)]))  # the net is its own teacher


def test_a_teacher_that_changed_teaches_anew(run, make_qat, make_net, caplog, tmp_path):
    path, qat = (
        tmp_path / "teacher.safetensors",
        {"distillation": 1.0, "teacher": str(tmp_path / "teacher.safetensors")},
    )
    keep(make_net(), path)
    run(make_qat(**qat))
    keep(make_net(f=12), path, f=12)
    again = state(run(make_qat(**qat)))
    assert "was made from another net or with other settings" in caplog.text
    assert same(again, state(run(make_qat(**qat), folder=tmp_path / "fresh")))
