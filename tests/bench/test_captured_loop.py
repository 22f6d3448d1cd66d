"""The plain loop in one CUDA graph."""

import pytest
import torch

from sr.bench.captured_loop import CapturedLoop
from sr.tasks.regression import Regression
from tests.tasks.tiny import batch, net, settings


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_it_trains_on_a_gpu():
    made = net()
    before = [parameter.detach().clone() for parameter in made.parameters()]
    loop = CapturedLoop(Regression(**settings(net=made)), [batch(0), batch(1)], bf16=False, device=torch.device("cuda"))
    loop.run(5)
    after = [parameter.detach().cpu() for parameter in loop.net.parameters()]
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert all(each.isfinite().all() for each in after)


def test_an_optimizer_that_cannot_be_recorded_is_refused():
    made = settings(optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.1))
    with pytest.raises(ValueError, match="SGD cannot be recorded as a CUDA graph"):
        CapturedLoop(Regression(**made), [batch(0)], bf16=False, device=torch.device("cpu"))
