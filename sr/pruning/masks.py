"""Masks of magnitude pruning: which weights of the deployed kernels stay, and the net without the others."""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from sr.models.collapsible import CollapsibleConv

SCOPES = ("global", "layer")
Masks = dict[str, Tensor]


def prunable(net: nn.Module) -> dict[str, nn.Module]:
    """Return the trainable convolutions of a net by name; a convolution that trains as branches counts once."""
    blocks: dict[str, nn.Module] = {
        name: each for name, each in net.named_modules() if isinstance(each, CollapsibleConv)
    }
    plain: dict[str, nn.Module] = {
        name: each
        for name, each in net.named_modules()
        if isinstance(each, nn.Conv2d | nn.ConvTranspose2d)
        and each.weight.requires_grad
        and not any(name.startswith(f"{block}.") for block in blocks)
    }
    return blocks | plain


@torch.no_grad()
def kernels(net: nn.Module, names: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the kernels (out, in, k, k) that layers deploy, with their masks applied.

    Args:
        net: Net in its training form.
        names: Layers; the values are not read.
    """
    found: dict[str, Tensor] = {}
    for name in names:
        layer = net.get_submodule(name)
        weight = layer.kernel()[0] if isinstance(layer, CollapsibleConv) else layer.weight
        found[name] = cast(Tensor, weight).detach()
    return found


@torch.no_grad()
def apply_masks(net: nn.Module, masks: Masks) -> None:
    """Set the masked weights of a net to zero, in place; repeat it after each update of plain convolutions.

    A block of branches multiplies its collapsed kernel in the forward pass, so gradients reach the branches through the
    mask. A plain kernel is set to zero where it is masked, which is the same function.

    Args:
        net: Net in its training form.
        masks: Layer -> 1 for a weight that stays, 0 for a masked one.
    """
    for name, mask in masks.items():
        layer = net.get_submodule(name)
        if not isinstance(layer, CollapsibleConv):
            weight = cast(Tensor, layer.weight)
            weight.mul_(mask.to(weight))
        elif layer.mask is None:
            layer.mask = mask.to(layer.kernel()[0]).clone()
        else:
            layer.mask.copy_(mask)


def all_kept(net: nn.Module) -> Masks:
    """Return masks of ones for all prunable layers.

    Raises:
        ValueError: The net has no convolution to prune.
    """
    found = prunable(net)
    if not found:
        raise ValueError(f"{type(net).__name__} has no trainable convolution to prune; use task=regression")
    return {name: torch.ones_like(each) for name, each in kernels(net, dict.fromkeys(found, torch.empty(0))).items()}


def masked_share(masks: Masks) -> float:
    """Return the share of all weights that are masked, in [0, 1].

    >>> masked_share({"a": torch.tensor([1.0, 0.0]), "b": torch.tensor([1.0, 1.0])})
    0.25
    """
    return 1 - sum(int(mask.count_nonzero()) for mask in masks.values()) / sum(m.numel() for m in masks.values())


def pruned(found: Mapping[str, Tensor], masks: Masks, share: float, scope: str) -> Masks:
    """Mask the weights of smallest magnitude until `share` of all weights is masked; masked weights stay masked.

    Args:
        found: Layer -> kernel.
        masks: Masks of the previous round.
        share: Share of all weights, in (0, 1).
        scope: "global" ranks the weights of all layers together, "layer" takes the share of each layer.

    Raises:
        ValueError: A layer would lose its last weight.

    >>> kernel = {"a": torch.tensor([0.3, -0.1, 0.2, 0.4])}
    >>> pruned(kernel, {"a": torch.ones(4)}, 0.5, "layer")["a"].tolist()
    [1.0, 0.0, 0.0, 1.0]
    """
    groups = [list(masks)] if scope == "global" else [[name] for name in masks]
    new: Masks = {}
    for names in groups:
        flat = torch.cat([found[name].abs().masked_fill(masks[name] == 0, -1).flatten() for name in names])
        kept = torch.ones_like(flat)
        kept[flat.argsort(stable=True)[: round(share * flat.numel())]] = 0
        parts = kept.split([masks[name].numel() for name in names])
        new |= {name: part.view_as(masks[name]) for name, part in zip(names, parts, strict=True)}
    for name, mask in new.items():
        if not mask.any():
            raise ValueError(_emptied(f"all {mask.numel()} weights of layer {name}", share, scope))
    return new


def check_sparsity(masks: Masks, share: float, scope: str) -> None:
    """Refuse a sparsity that would empty a layer, whatever the weights are.

    Args:
        masks: Layer -> mask of its kernel.
        share: Share of all weights that the last round masks, in (0, 1).
        scope: See `pruned`.

    Raises:
        ValueError: A layer would lose its last weight.

    >>> check_sparsity({"a": torch.ones(4)}, 0.5, "layer")
    """
    sizes = {name: mask.numel() for name, mask in masks.items()}
    smallest = min(sizes, key=lambda name: sizes[name])
    if scope == "layer" and round(share * sizes[smallest]) == sizes[smallest]:
        raise ValueError(_emptied(f"all {sizes[smallest]} weights of layer {smallest}", share, scope))
    total = sum(sizes.values())
    if scope == "global" and total - round(share * total) < len(sizes):
        raise ValueError(_emptied(f"all weights of some of the {len(sizes)} layers", share, scope))


def _emptied(what: str, share: float, scope: str) -> str:
    advice = "" if scope == "layer" else ", or use task.scope=layer"
    return f"pruning to a sparsity of {share:.1%} would remove {what}; lower task.rounds or task.fraction{advice}"


def share_after(num_rounds: int, fraction: float) -> float:
    """Return the share of masked weights after rounds that each mask a fraction of the remaining ones.

    Args:
        num_rounds: Rounds of pruning so far.
        fraction: Share of the remaining weights that each round masks, in (0, 1).

    >>> share_after(2, 0.5)
    0.75
    """
    return 1 - (1 - fraction) ** num_rounds


def round_schedule(iterations: int, rounds: int, rewind: float) -> tuple[int, list[int]]:
    """Return the iteration to rewind to, and the iteration at which each round ends, the dense one first.

    A run of `rounds` rounds of pruning is (rounds + 1 + rewind) rounds long.

    Args:
        iterations: Iterations of the whole run.
        rounds: Rounds of pruning after the dense one, at least 1.
        rewind: Rewind point as a share of a round, in [0, 1].

    Raises:
        ValueError: A round would have no iteration.

    >>> round_schedule(420, 3, 0.2)
    (20, [120, 220, 320, 420])
    """
    length = iterations / (rounds + 1 + rewind)
    if length < 1:
        raise ValueError(f"{iterations} iterations are too few for {rounds + 1} rounds; raise train.iterations")
    return round(rewind * length), [round((rewind + number) * length) for number in range(1, rounds + 2)]
