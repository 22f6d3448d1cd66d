"""Weights on a grid, and the bias, of least squared error: rounded column by column with compensation of each error."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Part:
    """Equations of one phase of a layer: g groups of k outputs, each summed from d inputs.

    Args:
        weights: Kernel (g, k, d).
        scale: Step of each weight's grid (g, k, d).
        left: 1 for a free weight, 0 for one that must be zero (g, k, d).
        second: E[x x^T] (g, d, d); (g, d + 1, d + 1) if the layer has a bias, whose input is 1.
        cross: E[y x^T] (g, k, d), or (g, k, d + 1) with a bias.
    """

    weights: Tensor
    scale: Tensor
    left: Tensor
    second: Tensor
    cross: Tensor


@dataclass(frozen=True)
class Problem:
    """Equations of a whole layer: parts that share only the bias.

    Args:
        parts: Parts of the same g and k; their expectations count the same output pixels, so they add up.
        bias: Bias (g, k, 1), or None.
        low: Smallest integer of the grid.
        high: Largest integer of the grid.
        damping: Value added to the diagonal of the whole E[x x^T], as a share of its mean.
    """

    parts: list[Part]
    bias: Tensor | None
    low: int
    high: int
    damping: float


def solve(problem: Problem) -> tuple[list[Tensor], Tensor | None]:
    """Solve the least squares, round all weights part after part, and compute the best bias for them.

    The result equals that of `round_columns` with all weights of the layer in one matrix, in this order. Weights of
    different parts never meet, so the later parts are eliminated from a part's equations. That leaves one term in the
    bias's equation (the Schur complement). Parts that are already rounded go to the right-hand side.

    Returns:
        Weights (g, k, d) of each part, and the bias (g, k, 1) or None.
    """
    extra = _damping(problem)
    equations = [_Equations(part, problem.bias, extra) for part in problem.parts]
    if problem.bias is None:
        return [_solved(each, problem) for each in equations], None
    corner = sum((each.matrix[:, -1:, -1:] - extra for each in equations), extra)
    lack = sum((each.lack[:, :, -1:] for each in equations), torch.zeros_like(problem.bias))
    for each in reversed(equations):
        each.matrix[:, -1:, -1:], each.lack[:, :, -1:] = corner, lack
        if each is not equations[0]:
            share = torch.linalg.solve(each.matrix[:, :-1, :-1], each.matrix[:, :-1, -1:])
            corner = corner - each.matrix[:, -1:, :-1] @ share
            lack = lack - each.lack[:, :, :-1] @ share
    weights: list[Tensor] = []
    bias, given = problem.bias, torch.zeros_like(problem.bias)
    for each in equations:
        each.lack[:, :, -1:] -= given
        made = _solved(each, problem)
        weights.append(made[:, :, :-1])
        bias = made[:, :, -1:]
        given = given + (weights[-1] - each.part.weights) @ each.matrix[:, :-1, -1:]
    return weights, bias


class _Equations:
    """Normal equations of one part, bias last: (change of `start`) @ matrix = lack."""

    def __init__(self, part: Part, bias: Tensor | None, extra: Tensor) -> None:
        self.part = part
        self.start = part.weights if bias is None else torch.cat([part.weights, bias], dim=2)
        self.lack = part.cross - self.start @ part.second
        self.matrix = part.second + extra * torch.eye(
            part.second.shape[1], dtype=part.second.dtype, device=part.second.device
        )


def _solved(equations: _Equations, problem: Problem) -> Tensor:
    inverse = torch.linalg.inv(equations.matrix)
    best = equations.start + equations.lack @ inverse
    part = equations.part
    return round_columns(best, part.scale, problem.low, problem.high, inverse, part.left)


def round_columns(weights: Tensor, scale: Tensor, low: int, high: int, inverse: Tensor, left: Tensor) -> Tensor:
    """Round the columns that `scale` covers one by one, and compensate each error in the columns after it.

    Args:
        weights: Weights (g, k, d).
        scale: Grid steps (g, k, n) of the first n columns; later columns are only compensated.
        low: Smallest integer of the grid.
        high: Largest integer of the grid.
        inverse: Inverse of E[x x^T], (g, d, d).
        left: 1 for a free weight, 0 for one that must be zero (g, k, n).

    Returns:
        Rounded weights (g, k, d).

    >>> one = torch.ones(1, 1, 2)
    >>> correlated = torch.tensor([[[1.0, 0.9], [0.9, 1.0]]])
    >>> round_columns(one * 0.4, one, -8, 7, torch.linalg.inv(correlated), one).tolist()
    [[[0.0, 1.0]]]
    """
    made = weights.clone()
    factor = torch.linalg.cholesky(inverse, upper=True)
    for column in range(scale.shape[-1]):
        before = made[:, :, column].clone()
        integers = (before / scale[:, :, column]).round().clamp(low, high) * left[:, :, column]
        made[:, :, column] = integers * scale[:, :, column]
        error = (before - made[:, :, column]) / factor[:, column, column, None]
        made[:, :, column + 1 :] -= error[:, :, None] * factor[:, None, column, column + 1 :]
    return made


def _damping(problem: Problem) -> Tensor:
    """Return the value (g, 1, 1) to add to the diagonal."""
    diagonals = [part.second.diagonal(dim1=1, dim2=2) for part in problem.parts]
    shared = len(diagonals) - 1 if problem.bias is not None else 0  # each part contains the same bias
    count = sum(diagonal.shape[1] for diagonal in diagonals) - shared
    size = torch.stack([diagonal.sum(1) for diagonal in diagonals]).sum(0) / count
    return problem.damping * size.clamp(min=torch.finfo(torch.float32).tiny)[:, None, None]
