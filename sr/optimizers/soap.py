"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner; the small kernels of mobile nets make it cheap."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.adam import adam


class Soap(Optimizer):
    """Adam whose moments live in a slowly turning orthogonal basis along each axis of a kernel.

    A kernel (O, I, k, k) counts as a tensor of three axes: output channels, input channels, window. The basis of an
    axis holds the eigenvectors of its running gradient covariance and is refreshed by one power iteration every few
    steps; gradients are turned into it, scaled there as Adam scales, and the step is turned back. Vectors (biases,
    slopes) get Adam. The axes of a mobile net have 3 to 64 entries, so that a step costs little more than Adam's.

    Args:
        params: parameters, or groups of them.
        lr: learning rate, at least 0.
        betas: decay of the mean gradient and of its mean square, each in [0, 1).
        shampoo_beta: decay of the covariances, in [0, 1).
        eps: above 0, added to the root of the mean square.
        precondition_frequency: steps from one refreshment of the bases to the next, at least 1.
        max_axis: longer axes keep the basis they have, as all do in Adam: turning them would cost more than it gains.

    Raises:
        ValueError: a value out of its range.

    Source: Vyas et al., SOAP (arXiv 2409.11321), algorithm 3. The window as one axis is ours; no weight decay. As in
    the authors' code the first gradient of a kernel only sets its bases.
    """

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float,
        betas: tuple[float, float],
        shampoo_beta: float,
        eps: float,
        precondition_frequency: int,
        max_axis: int,
    ) -> None:
        if not lr >= 0 or not eps > 0:
            raise ValueError(f"optimizer.lr must be at least 0 and optimizer.eps above it, got {lr} and {eps}")
        for name, value in (("betas", betas[0]), ("betas", betas[1]), ("shampoo_beta", shampoo_beta)):
            if not 0 <= value < 1:
                raise ValueError(f"optimizer.{name} must be in [0, 1), got {value}")
        if precondition_frequency < 1:
            raise ValueError(f"optimizer.precondition_frequency must be at least 1, got {precondition_frequency}")
        self._frequency, self._max_axis = precondition_frequency, max_axis
        super().__init__(params, {"lr": lr, "betas": tuple(betas), "shampoo_beta": shampoo_beta, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient; returns what the closure, called first, gave."""
        with torch.enable_grad():
            loss = closure() if closure else None
        for group in self.param_groups:
            params = [param for param in group["params"] if param.grad is not None]
            for param in params:
                if param.ndim > 1:
                    self._move_kernel(param, group)
            self._move_vectors([param for param in params if param.ndim <= 1], group)
        return loss

    def _move_kernel(self, param: Tensor, group: dict[str, Any]) -> None:
        assert param.grad is not None
        (beta1, beta2), state, grad = group["betas"], self.state[param], as_axes(param.grad.float())
        axes = [axis for axis, entries in enumerate(grad.shape) if 1 < entries <= self._max_axis]
        if not state:
            state["covariances"] = [grad.new_zeros(grad.shape[axis], grad.shape[axis]) for axis in axes]
        for axis, covariance in zip(axes, state["covariances"], strict=True):
            covariance.lerp_(gram(grad, axis), 1 - group["shampoo_beta"])
        if "bases" not in state:
            # A loss that is not finite is the task's to report, so NaN must not raise here.
            finite = [covariance.nan_to_num() for covariance in state["covariances"]]
            state["bases"] = [torch.linalg.eigh(covariance)[1].flip(1) for covariance in finite]
            state |= {"steps": 0, "mean": torch.zeros_like(grad), "square": torch.zeros_like(grad)}
            return  # in its own eigenbasis a gradient has entries that are nothing but rounding
        state["steps"] += 1
        mean, square = state["mean"], state["square"]  # both in the basis
        turned = turn(grad, state["bases"], axes)
        mean.lerp_(turned, 1 - beta1)
        square.lerp_(turned.square_(), 1 - beta2)
        scale = (square / (1 - beta2 ** state["steps"])).sqrt_().add_(group["eps"])
        step = turn(mean / scale, [basis.mT for basis in state["bases"]], axes)
        param.add_(step.reshape(param.shape), alpha=-group["lr"] / (1 - beta1 ** state["steps"]))
        if state["steps"] % self._frequency == 0:
            self._refresh(state, axes)

    def _refresh(self, state: dict[str, Any], axes: list[int]) -> None:
        """One power iteration of each basis, its vectors in the order of their weight."""
        old, state["bases"] = state["bases"], []
        for axis, basis, covariance in zip(axes, old, state["covariances"], strict=True):
            product = covariance @ basis
            order = (basis * product).sum(0).argsort(descending=True)
            state["square"] = state["square"].index_select(axis, order)
            state["bases"].append(torch.linalg.qr(product[:, order])[0])
        state["mean"] = turn(turn(state["mean"], [basis.mT for basis in old], axes), state["bases"], axes)

    def _move_vectors(self, params: list[Tensor], group: dict[str, Any]) -> None:
        # Not "step": torch and Lightning leave a state of that name on the CPU when a checkpoint is read.
        for param in params:
            if not self.state[param]:
                start = {"mean": torch.zeros_like(param), "square": torch.zeros_like(param)}
                self.state[param] |= start | {"steps": torch.zeros((), device=param.device)}
        if not params:
            return
        states = [self.state[param] for param in params]
        adam(
            params,
            [param.grad for param in params if param.grad is not None],
            [state["mean"] for state in states],
            [state["square"] for state in states],
            [],
            [state["steps"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=0,
            eps=group["eps"],
            maximize=False,
        )


def as_axes(kernel: Tensor) -> Tensor:
    """A kernel (O, I, ...) with its window as one axis (O, I, k*k); a matrix (O, I) as it is.

    >>> as_axes(torch.zeros(8, 3, 5, 5)).shape
    torch.Size([8, 3, 25])
    """
    return kernel.flatten(2) if kernel.ndim > 2 else kernel


def gram(x: Tensor, axis: int) -> Tensor:
    """Products of the slices along an axis of x, which has two or three: (n, n) for an axis of n entries.

    >>> gram(torch.tensor([[1.0, 2.0], [0.0, 1.0]]), 0).tolist()
    [[5.0, 2.0], [2.0, 1.0]]
    """
    rows = x.movedim(axis, 0).flatten(1)
    return rows @ rows.mT


def turn(x: Tensor, bases: list[Tensor], axes: list[int]) -> Tensor:
    """The components of x (two or three axes) along the columns of a basis for each of the axes named.

    >>> swap = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> turn(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), [swap], [1]).tolist()
    [[2.0, 1.0], [4.0, 3.0]]
    """
    for axis, basis in zip(axes, bases, strict=True):
        if axis == x.ndim - 1:
            x = x @ basis
        elif axis == x.ndim - 2:
            x = basis.mT @ x
        else:
            x = (basis.mT @ x.flatten(1)).view_as(x)
    return x
