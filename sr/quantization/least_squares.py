"""The weights on a grid, and the bias, of least squared error: rounded one after the other, each error made good."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Part:
    """What one phase of a layer brings: g groups of k outputs, each summed from d inputs of its own.

    Args:
        weights: (g, k, d).
        scale: step of each weight's grid (g, k, d).
        left: 1 for a weight, 0 for one that has to be zero (g, k, d).
        second: E[x x^T], (g, d, d), or (g, d + 1, d + 1) where the layer has a bias, whose input is 1.
        cross: E[y x^T], (g, k, d) or (g, k, d + 1).
    """

    weights: Tensor
    scale: Tensor
    left: Tensor
    second: Tensor
    cross: Tensor


@dataclass(frozen=True)
class Problem:
    """A whole layer: parts that have nothing in common but the bias.

    Args:
        parts: of the same g and k; the expectations of all count the same output pixels, so that they add up.
        bias: (g, k, 1), or None.
        low: smallest integer of the grid.
        high: largest.
        damping: what is added to the diagonal of the whole E[x x^T], as a share of its mean.
    """

    parts: list[Part]
    bias: Tensor | None
    low: int
    high: int
    damping: float


def solve(problem: Problem) -> tuple[list[Tensor], Tensor | None]:
    """Take the least squares, round all weights, part after part, and give the bias what is best with them.

    The same as `round_columns` does with all weights of the layer in one matrix, in this order. No weight meets one of
    another part, so the parts still to come are eliminated from a part's equations, which leaves a term in the bias's
    own (Schur's complement), and those already rounded stand on their right side.

    Returns:
        Weights (g, k, d) of each part, and the bias (g, k, 1).
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
    """The normal equations of one part, with the bias last: what is lacking in `start` is (change) @ matrix = lack."""

    def __init__(self, part: Part, bias: Tensor | None, extra: Tensor) -> None:
        self.part = part
        self.start = part.weights if bias is None else torch.cat([part.weights, bias], dim=2)
        self.lack = part.cross - self.start @ part.second
        self.matrix = part.second + extra * torch.eye(part.second.shape[1], dtype=part.second.dtype)


def _solved(equations: _Equations, problem: Problem) -> Tensor:
    inverse = torch.linalg.inv(equations.matrix)
    best = equations.start + equations.lack @ inverse
    part = equations.part
    return round_columns(best, part.scale, problem.low, problem.high, inverse, part.left)


def round_columns(weights: Tensor, scale: Tensor, low: int, high: int, inverse: Tensor, left: Tensor) -> Tensor:
    """Round all but the columns that `scale` does not reach, each error made good by the columns behind it.

    Args:
        weights: (g, k, d).
        scale: steps of the grid (g, k, n), of the first n columns; those behind stay what they become.
        low: smallest integer of the grid.
        high: largest.
        inverse: of E[x x^T], (g, d, d).
        left: 1 for a weight, 0 for one that has to be zero, (g, k, n).
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
    """What is added to the diagonal (g, 1, 1)."""
    diagonals = [part.second.diagonal(dim1=1, dim2=2) for part in problem.parts]
    shared = len(diagonals) - 1 if problem.bias is not None else 0  # the bias stands in each part, and is one
    count = sum(diagonal.shape[1] for diagonal in diagonals) - shared
    size = torch.stack([diagonal.sum(1) for diagonal in diagonals]).sum(0) / count
    return problem.damping * size.clamp(min=torch.finfo(torch.float32).tiny)[:, None, None]
