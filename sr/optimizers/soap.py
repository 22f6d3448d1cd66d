"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner, which is cheap for the small kernels of mobile nets.

It is implemented here because torch has no SOAP, and the authors' code treats each kernel axis of a convolution
separately.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.adam import adam


class Soap(Optimizer):
    """Optimize with Adam in the eigenbasis of the gradient covariance of each kernel axis.

    A kernel (O, I, k, k) is a tensor of three axes: output channels, input channels, window. The basis of an axis holds
    the eigenvectors of its running gradient covariance, updated by one power iteration every few steps. Gradients are
    rotated into the basis, scaled as in Adam, and the step is rotated back. Vectors (biases, slopes) get Adam. The axes
    of a mobile net have 3 to 64 entries, so a step costs little more than with Adam.

    Args:
        params: Parameters or parameter groups.
        lr: Learning rate, at least 0.
        betas: Decay of the mean gradient and of the mean squared gradient, each in [0, 1).
        shampoo_beta: Decay of the covariances, in [0, 1).
        eps: Value added to the root of the mean square, above 0.
        precondition_frequency: Steps between two updates of the bases, at least 1.
        max_axis: Axes with more entries are not rotated, as in Adam; rotating them would cost more than it gains.

    Raises:
        ValueError: If a value is out of its range.

    Source: Vyas et al., SOAP (arXiv 2409.11321), algorithm 3. Differences: the window is one axis, and there is no
    weight decay. As in the authors' code, the first gradient of a kernel only initialises its bases.
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
            raise ValueError(f"optimizer.lr must be at least 0 and optimizer.eps above 0, got {lr} and {eps}")
        for name, value in (("betas", betas[0]), ("betas", betas[1]), ("shampoo_beta", shampoo_beta)):
            if not 0 <= value < 1:
                raise ValueError(f"optimizer.{name} must be in [0, 1), got {value}")
        if precondition_frequency < 1:
            raise ValueError(f"optimizer.precondition_frequency must be at least 1, got {precondition_frequency}")
        self._frequency, self._max_axis = precondition_frequency, max_axis
        self._stacks: dict[tuple[int, ...], dict[str, Any]] = {}
        super().__init__(params, {"lr": lr, "betas": tuple(betas), "shampoo_beta": shampoo_beta, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: Function that computes and returns the loss; called first if given.

        Returns:
            The loss of the closure, or None.
        """
        with torch.enable_grad():
            loss = closure() if closure else None
        for group in self.param_groups:
            params = [param for param in group["params"] if param.grad is not None]
            for kernels in self._of_one_shape([param for param in params if param.ndim > 1]):
                self._move_kernels(kernels, group)
            self._move_vectors([param for param in params if param.ndim <= 1], group)
        return loss

    def _of_one_shape(self, kernels: list[Tensor]) -> list[list[Tensor]]:
        """Return the kernels in lists of equal shape and age."""
        found: dict[Any, list[Tensor]] = {}
        for kernel in kernels:
            found.setdefault((kernel.shape, kernel.device, self.state[kernel].get("steps")), []).append(kernel)
        return list(found.values())

    def _move_kernels(self, params: list[Tensor], group: dict[str, Any]) -> None:
        """Update kernels of one shape at once: on a GPU a kernel alone costs only launches."""
        grad = torch.stack([as_axes(param.grad.float()) for param in params if param.grad is not None])
        axes = [axis for axis, entries in enumerate(grad.shape[1:]) if 1 < entries <= self._max_axis]
        state = self._stacked(params, grad, axes)
        for axis, covariance in zip(axes, state["covariances"], strict=True):
            covariance.lerp_(gram(grad, axis), 1 - group["shampoo_beta"])
        if not state["steps"]:
            # The task reports a loss that is not finite, so NaN must not raise here.
            finite = [covariance.nan_to_num() for covariance in state["covariances"]]
            for basis, covariance in zip(state["bases"], finite, strict=True):
                basis.copy_(torch.linalg.eigh(covariance)[1].flip(2))
            return  # in its own eigenbasis, most entries of a gradient are rounding errors
        (beta1, beta2), steps = group["betas"], state["steps"]
        mean, square = state["mean"], state["square"]  # both in the basis
        rotated = rotate(grad, state["bases"], axes)
        mean.lerp_(rotated, 1 - beta1)
        square.lerp_(rotated.square_(), 1 - beta2)
        scale = (square / (1 - beta2**steps)).sqrt_().add_(group["eps"])
        step = rotate(mean / scale, [basis.mT for basis in state["bases"]], axes)
        for param, change in zip(params, step, strict=True):
            param.add_(change.reshape(param.shape), alpha=-group["lr"] / (1 - beta1**steps))
        if steps % self._frequency == 0:
            _refresh(state, axes)

    def _stacked(self, params: list[Tensor], grad: Tensor, axes: list[int]) -> dict[str, Any]:
        """Return the state of kernels of one shape in stacks, of which the state of each kernel is a view.

        The state of a kernel is what a checkpoint holds, so a loaded one is stacked again.
        """
        states = [self.state[param] for param in params]
        key = tuple(id(param) for param in params)
        stack = self._stacks.get(key)
        if stack is None or any(
            state.get("mean") is not view for state, view in zip(states, stack["views"], strict=True)
        ):
            stack = self._stacks[key] = _stack(states, grad, axes)
        for state in states:
            state["steps"] = state.get("steps", -1) + 1
        stack["steps"] = states[0]["steps"]
        return stack

    def _move_vectors(self, params: list[Tensor], group: dict[str, Any]) -> None:
        # Not named "step": torch and Lightning keep a state of that name on the CPU when they load a checkpoint.
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


def _stack(states: list[dict[str, Any]], grad: Tensor, axes: list[int]) -> dict[str, Any]:
    """Stack the states of kernels, or new ones, and make each state a view of the stacks."""
    sizes = [grad.shape[axis + 1] for axis in axes]
    for state in states:
        if "mean" not in state:
            squares = [[grad.new_zeros(size, size) for size in sizes] for _ in range(2)]
            state |= {"covariances": squares[0], "bases": squares[1]}
            state |= {"mean": torch.zeros_like(grad[0]), "square": torch.zeros_like(grad[0])}
    stack: dict[str, Any] = {name: torch.stack([state[name] for state in states]) for name in ("mean", "square")}
    for name in ("covariances", "bases"):
        stack[name] = [torch.stack([state[name][i] for state in states]) for i in range(len(axes))]
    for number, state in enumerate(states):
        state |= {name: stack[name][number] for name in ("mean", "square")}
        state |= {name: [each[number] for each in stack[name]] for name in ("covariances", "bases")}
    stack["views"] = [state["mean"] for state in states]
    return stack


def _refresh(state: dict[str, Any], axes: list[int]) -> None:
    """Update each basis by one power iteration, with its vectors sorted by descending eigenvalue."""
    mean = rotate(state["mean"], [basis.mT for basis in state["bases"]], axes)
    for axis, basis, covariance in zip(axes, state["bases"], state["covariances"], strict=True):
        product = covariance @ basis
        order = (basis * product).sum(1).argsort(dim=1, descending=True)
        state["square"].copy_(_taken(state["square"], order, axis + 1))
        basis.copy_(torch.linalg.qr(_taken(product, order, 2))[0])
    state["mean"].copy_(rotate(mean, state["bases"], axes))


def _taken(stack: Tensor, order: Tensor, axis: int) -> Tensor:
    """Return a stack (n, ...) with the entries along an axis in the order (n, entries) of each member."""
    shape = [len(stack), *[1] * (stack.ndim - 1)]
    shape[axis] = stack.shape[axis]
    return torch.take_along_dim(stack, order.view(shape), dim=axis)


def as_axes(kernel: Tensor) -> Tensor:
    """Flatten the window of a kernel.

    Args:
        kernel: (O, I, ...) or a matrix (O, I).

    Returns:
        (O, I, k*k); a matrix is returned unchanged.

    Example:
        >>> as_axes(torch.zeros(8, 3, 5, 5)).shape
        torch.Size([8, 3, 25])
    """
    return kernel.flatten(2) if kernel.ndim > 2 else kernel


def gram(x: Tensor, axis: int) -> Tensor:
    """Return the Gram matrices of the slices of tensors along an axis.

    Args:
        x: Stack of N tensors of two or three axes.
        axis: The axis of each tensor, with n entries.

    Returns:
        (N, n, n), the scalar products of all pairs of slices.

    Example:
        >>> gram(torch.tensor([[[1.0, 2.0], [0.0, 1.0]]]), 0).tolist()
        [[[5.0, 2.0], [2.0, 1.0]]]
    """
    rows = x.movedim(axis + 1, 1).flatten(2)
    return rows @ rows.mT


def rotate(x: Tensor, bases: list[Tensor], axes: list[int]) -> Tensor:
    """Transform tensors into a basis along each of the given axes.

    Args:
        x: Stack of N tensors of two or three axes.
        bases: One stack of matrices (N, n, n) per given axis, with the basis vectors as columns.
        axes: Axes of each tensor to transform.

    Returns:
        Stack of the same shape: the components along the basis vectors.

    Example:
        >>> swap = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
        >>> rotate(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), [swap], [1]).tolist()
        [[[2.0, 1.0], [4.0, 3.0]]]
    """
    for axis, basis in zip(axes, bases, strict=True):
        if axis == x.ndim - 2:
            x = (x.flatten(1, -2) @ basis).view_as(x)
        elif axis == 0:
            x = (basis.mT @ x.flatten(2)).view_as(x)
        else:
            x = (basis.mT @ x.transpose(1, 2).flatten(2)).view_as(x.transpose(1, 2)).transpose(1, 2)
    return x
