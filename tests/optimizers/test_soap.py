"""SOAP against its definition, against Adam, and on a problem that Adam finds hard."""

import copy
import functools

import pytest
import torch
from torch import Tensor, nn

from sr.optimizers.soap import Soap

SETTINGS = {
    "lr": 1e-2, "betas": (0.9, 0.8), "shampoo_beta": 0.7, "eps": 1e-8, "precondition_frequency": 3, "max_axis": 64,
}  # fmt: skip


def gradients(shape: tuple[int, ...], number: int, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator, dtype=dtype) for _ in range(number)]


def steps(optimizer: torch.optim.Optimizer, param: nn.Parameter, grads: list[Tensor]) -> Tensor:
    for grad in grads:
        param.grad = grad.clone()
        optimizer.step()
    return param.detach().clone()


def by_definition(start: Tensor, grads: list[Tensor]) -> Tensor:
    """Algorithm 3 of the paper on vectors: one basis of the whole space, the Kronecker product of the axes' bases."""
    beta1, beta2 = SETTINGS["betas"]
    where, mean = start.double().clone(), torch.zeros(start.numel(), dtype=torch.float64)
    square, covariances, bases = mean.clone(), [torch.zeros(n, n).double() for n in start.shape], []
    for t, grad in enumerate(grad.double() for grad in grads):
        for axis, covariance in enumerate(covariances):
            others = [other for other in range(grad.ndim) if other != axis]
            covariance *= SETTINGS["shampoo_beta"]
            covariance += (1 - SETTINGS["shampoo_beta"]) * torch.tensordot(grad, grad, dims=(others, others))
        if not bases:
            bases = [torch.linalg.eigh(covariance)[1].flip(1) for covariance in covariances]
            continue
        whole = functools.reduce(torch.kron, bases)
        mean = beta1 * mean + (1 - beta1) * grad.flatten()
        square = beta2 * square + (1 - beta2) * (whole.T @ grad.flatten()) ** 2
        ratio = (whole.T @ mean) / (1 - beta1**t) / ((square / (1 - beta2**t)).sqrt() + SETTINGS["eps"])
        where -= SETTINGS["lr"] * (whole @ ratio).view_as(where)
        if t % SETTINGS["precondition_frequency"] == 0:
            for axis, (basis, covariance) in enumerate(zip(bases, covariances, strict=True)):
                order = torch.diagonal(basis.T @ covariance @ basis).argsort(descending=True)
                bases[axis] = torch.linalg.qr(covariance @ basis[:, order])[0]
                square = square.view(start.shape).index_select(axis, order).flatten()
    return where


@pytest.mark.parametrize(
    "shape", [(3, 3), (3, 2, 4)]
)  # the first gradient spans all axes, so that no basis is arbitrary
def test_a_step_is_that_of_the_paper(shape):
    grads = gradients(shape, 12)
    param = nn.Parameter(torch.ones(shape))
    assert torch.allclose(
        steps(Soap([param], **SETTINGS), param, grads).double(), by_definition(torch.ones(shape), grads), atol=1e-4
    )


def test_the_window_of_a_kernel_is_one_axis():
    grads = gradients((4, 3, 3, 3), 7)
    kernel = nn.Parameter(torch.ones(4, 3, 3, 3).to(memory_format=torch.channels_last))
    flat = nn.Parameter(torch.ones(4, 3, 9))
    moved = steps(Soap([kernel], **SETTINGS), kernel, grads)
    assert torch.allclose(
        moved.flatten(2), steps(Soap([flat], **SETTINGS), flat, [g.flatten(2) for g in grads]), atol=1e-6
    )


@pytest.mark.parametrize(("shape", "max_axis"), [((5,), 64), ((4, 3, 3, 3), 1), ((6, 1), 2)])
def test_what_is_not_turned_moves_as_by_adam(shape, max_axis):
    grads = gradients(shape, 7)
    ours, theirs = nn.Parameter(torch.ones(shape)), nn.Parameter(torch.ones(shape))
    adam = torch.optim.Adam([theirs], lr=SETTINGS["lr"], betas=SETTINGS["betas"], eps=SETTINGS["eps"])
    moved = steps(Soap([ours], **SETTINGS | {"max_axis": max_axis}), ours, grads)
    first = 0 if len(shape) == 1 else 1  # the first gradient of a kernel only sets its bases
    assert torch.allclose(moved, steps(adam, theirs, grads[first:]), atol=1e-6)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_kernels_of_one_shape_move_together_as_each_would_alone(device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    shapes = [(4, 3, 3, 3), (4, 3, 3, 3), (5, 4, 1, 1), (4, 3, 3, 3)]
    generator = torch.Generator().manual_seed(0)
    grads = [[torch.randn(shape, generator=generator).to(device) for shape in shapes] for _ in range(14)]
    together, alone = ([nn.Parameter(torch.ones(shape, device=device)) for shape in shapes] for _ in range(2))
    optimizer, others = Soap(together, **SETTINGS), [Soap([param], **SETTINGS) for param in alone]
    for step in grads:
        for param, other, grad in zip(together, alone, step, strict=True):
            param.grad, other.grad = grad.clone(), grad.clone()
        optimizer.step()
        for each in others:
            each.step()
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_a_kernel_without_a_gradient_for_a_while_goes_on_by_itself():
    kernels = [nn.Parameter(torch.ones(4, 3, 3, 3)) for _ in range(2)]
    optimizer = Soap(kernels, **SETTINGS)
    for step, grad in enumerate(gradients((4, 3, 3, 3), 9)):
        kernels[0].grad, kernels[1].grad = grad, None if step in (2, 3) else grad
        optimizer.step()
    assert [optimizer.state[kernel]["steps"] for kernel in kernels] == [8, 6]
    assert all(kernel.isfinite().all() for kernel in kernels)


def test_it_goes_on_from_its_state_bit_for_bit():
    shapes, number = [(4, 3, 3, 3), (4,), (2, 4, 1, 1), (4, 3, 3, 3)], 11
    grads = [gradients(shape, number) for shape in shapes]

    def train(params: list[nn.Parameter], optimizer: Soap, times: range) -> None:
        for time in times:
            for param, grad in zip(params, grads, strict=True):
                param.grad = grad[time].clone()
            optimizer.step()

    whole = [nn.Parameter(torch.ones(shape)) for shape in shapes]
    optimizer = Soap(whole, **SETTINGS)
    train(whole, optimizer, range(5))
    halves = [nn.Parameter(param.detach().clone()) for param in whole]
    second = Soap(halves, **SETTINGS)
    second.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(whole, optimizer, range(5, number))
    train(halves, second, range(5, number))
    assert all(torch.equal(a, b) for a, b in zip(whole, halves, strict=True))


def test_a_checkpoint_goes_to_the_device_of_the_net():
    kernel, bias = nn.Parameter(torch.ones(4, 3, 3, 3)), nn.Parameter(torch.ones(4))
    optimizer = Soap([kernel, bias], **SETTINGS)
    for _ in range(2):
        kernel.grad, bias.grad = torch.randn(4, 3, 3, 3), torch.randn(4)
        optimizer.step()
    elsewhere = [nn.Parameter(each.detach().to("meta")) for each in (kernel, bias)]
    second = Soap(elsewhere, **SETTINGS)
    second.load_state_dict(optimizer.state_dict())
    found = [value for state in second.state.values() for value in state.values() if not isinstance(value, int)]
    tensors = [each for value in found for each in (value if isinstance(value, list) else [value])]
    assert len(tensors) == 11 and {tensor.device.type for tensor in tensors} == {"meta"}


def test_it_beats_adam_where_the_axes_are_mixed():
    """Least squares through ill-conditioned mixtures of both axes, where no diagonal scaling helps."""
    generator = torch.Generator().manual_seed(0)
    spread = torch.diag(torch.logspace(0, -2, 16))
    left, right = (spread @ torch.linalg.qr(torch.randn(16, 16, generator=generator))[0] for _ in range(2))
    target = torch.randn(16, 16, generator=generator)

    def end(make: functools.partial[torch.optim.Optimizer]) -> float:
        param = nn.Parameter(torch.zeros(16, 16))
        optimizer = make([param])
        for _ in range(300):
            optimizer.zero_grad()
            (left @ (param - target) @ right.T).square().sum().backward()
            optimizer.step()
        return (left @ (param.detach() - target) @ right.T).square().sum().item()

    adam = min(end(functools.partial(torch.optim.Adam, lr=lr)) for lr in (1e-2, 3e-2, 1e-1, 3e-1))
    soap = min(
        end(functools.partial(Soap, **SETTINGS | {"betas": (0.95, 0.95), "shampoo_beta": 0.95, "lr": lr}))
        for lr in (1e-2, 3e-2)
    )
    assert soap < adam / 3, (soap, adam)


def test_a_gradient_of_zeros_or_nan_does_not_stop_it():
    param = nn.Parameter(torch.ones(3, 2))
    assert torch.equal(steps(Soap([param], **SETTINGS), param, [torch.zeros(3, 2)] * 4), torch.ones(3, 2))
    assert steps(Soap([param], **SETTINGS), param, [torch.full((3, 2), torch.nan)] * 4).isnan().all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lr": -1.0}, "optimizer.lr must be at least 0"),
        ({"eps": 0.0}, "optimizer.eps above 0, got 0.01 and 0.0"),
        ({"betas": (0.9, 1.0)}, r"optimizer.betas must be in \[0, 1\), got 1.0"),
        ({"precondition_frequency": 0}, "optimizer.precondition_frequency must be at least 1, got 0"),
    ],
)
def test_values_out_of_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Soap([nn.Parameter(torch.ones(2))], **SETTINGS | wrong)
