"""Settings of filter pruning: the classes of conf/filters, and the choice of the channels that stay."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from torch import Tensor, nn

from sr.models.net import Net
from sr.pruning.dependency_graph import Channels, Group
from sr.pruning.importance import Scores, fisher, magnitude
from sr.pruning.masks import SCOPES

IMPORTANCES = ("magnitude", "fisher")


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Remove the least important layers, then keep the most important share of the remaining features.

    Args:
        remove_layers: Number of layers to remove, with all their filters (`sr.pruning.layer_importance`).
        importance: "fisher" or "magnitude" (`sr.pruning.importance`).
        keep: Share of all features that stays, in (0, 1]; 1 leaves all widths unchanged.
        scope: "global" ranks the features of all groups together, "layer" keeps the share of each group.
        block: Numbers of channels are rounded to multiples of this, at least one block: an HTP computes 32 at a time.
        num_batches: Number of training batches that Fisher information is averaged over.

    Raises:
        ValueError: A setting is outside its range.
    """

    remove_layers: int
    importance: str
    keep: float
    scope: str
    block: int
    num_batches: int

    def __post_init__(self) -> None:
        for key, known in (("importance", IMPORTANCES), ("scope", SCOPES)):
            if getattr(self, key) not in known:
                raise ValueError(f"filters.{key} is {' or '.join(known)}, got {getattr(self, key)!r}")
        if not 0 < self.keep <= 1 or self.block < 1 or self.num_batches < 1 or self.remove_layers < 0:
            raise ValueError(
                "filters.keep is a share in (0, 1], block and num_batches at least 1, remove_layers at least 0; got "
                f"{self.keep}, {self.block}, {self.num_batches}, {self.remove_layers}"
            )
        if self.keep == 1 and not self.remove_layers:
            raise ValueError("filters.keep=1 and filters.remove_layers=0 remove nothing; leave `filters` out")

    def kept(
        self, net: Net, channels: Channels, batches: Iterable[tuple[Tensor, Tensor]], loss: nn.Module
    ) -> dict[str, list[int]]:
        """Choose the features that stay.

        Args:
            net: Trained net in its inference form.
            channels: Features of this net.
            batches: uint8 RGB (lr, hr) batches of training crops, at least `num_batches`.
            loss: Module (sr, hr) -> scalar.

        Returns:
            Group -> features that stay, in their order.

        Raises:
            ValueError: The net has nothing to remove, or nothing would remain of a group.
        """
        groups = channels.groups()
        if self.keep == 1:
            return {group.name: group.features for group in groups}
        if not groups:
            raise ValueError(f"{type(net).__name__} has no channels that can be removed; leave `filters` out")
        if self.importance == "magnitude":
            scores = magnitude(net, channels)
        else:
            scores = fisher(net, channels, islice(batches, self.num_batches), loss)
        counts = self.counts(groups, scores)
        best = {group.name: sorted(group.features, key=lambda feature: -scores[feature]) for group in groups}
        return {group.name: sorted(best[group.name][: counts[group.name]]) for group in groups}

    def counts(self, groups: list[Group], scores: Scores) -> dict[str, int]:
        """Return how many features of each group stay.

        Args:
            groups: Groups of the net.
            scores: Feature -> importance.

        Raises:
            ValueError: Nothing would remain of a group.
        """
        counts: dict[str, int] = {}
        ranked = sorted((feature for group in groups for feature in group.features), key=lambda each: -scores[each])
        chosen = set(ranked[: round(self.keep * len(ranked))])
        for group in groups:
            size = len(group.features)
            wanted = len(chosen & set(group.features)) if self.scope == "global" else round(self.keep * size)
            if not wanted:
                other = ", or use filters.scope=layer" if self.scope == "global" else ""
                raise ValueError(
                    f"keeping {self.keep:.0%} of the channels would remove all {size} of {group.name}; raise "
                    f"filters.keep{other}"
                )
            blocks = max(1, (2 * wanted + self.block) // (2 * self.block))  # halves are rounded up
            counts[group.name] = min(size, blocks * self.block)
        return counts


@dataclass(frozen=True, kw_only=True)
class Given:
    """Layers and widths of a net that was pruned before; `init` gives its weights.

    Args:
        removed: Removed layers; None if no layer was removed.
        widths: Group -> number of its features; a group is named by its first layer, the other groups stay whole.

    Raises:
        ValueError: Both are missing.
    """

    removed: Sequence[str] | None
    widths: Mapping[str, int] | None

    def __post_init__(self) -> None:
        if not self.widths and not self.removed:
            raise ValueError(
                "filters=given needs the layers or widths that an earlier run found: the line is under `overrides` in "
                "its narrow/narrow.json"
            )
