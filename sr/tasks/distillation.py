"""A small net learns from a larger, trained one: from its output, mixed with the true image, and from its features."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from sr.evaluation import to_network
from sr.losses.distillation_loss import attention_distance, check_pair, check_share, mixed
from sr.models.fingerprint import fingerprint
from sr.models.net import Net
from sr.tasks.regression import Regression

Pairs = Sequence[Sequence[str]]


class DistillationObjective(nn.Module):
    """The loss of a batch of uint8 (lr, hr) against hr and the teacher; both nets in bf16 autocast or in fp32.

    Args:
        net: the student, in its training form.
        teacher: without gradients.
        loss: module (sr, target) -> scalar.
        share: of the loss that is measured against the teacher's output, in [0, 1].
        layers: pairs of names, a layer of the student and one of the teacher, whose features are matched.
        feature_weight: of the mean distance of these features.
        bf16: whether the forward passes run in bf16 autocast.
    """

    def __init__(
        self,
        net: Net,
        teacher: Net,
        loss: nn.Module,
        *,
        share: float,
        layers: Pairs,
        feature_weight: float,
        bf16: bool,
    ) -> None:
        super().__init__()
        self.net, self.teacher, self.loss, self.bf16 = net, teacher, loss, bf16
        self.share, self.feature_weight = share, feature_weight
        self.pairs = [(net.get_submodule(ours), teacher.get_submodule(theirs)) for ours, theirs in layers]

    def forward(self, lr: Tensor, hr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) and compare with hr (N, 3, s*h, s*w), both uint8, and with the teacher; a scalar."""
        x, target = to_network(lr, self.net), to_network(hr, self.net)
        features: dict[nn.Module, Tensor] = {}
        watched = [module.register_forward_hook(partial(_keep, features)) for pair in self.pairs for module in pair]
        try:
            # A graph cannot keep casts of the weights from one step to the next.
            with torch.autocast(lr.device.type, torch.bfloat16, enabled=self.bf16, cache_enabled=False):
                with torch.no_grad():
                    taught = self.teacher(x)
                sr = self.net(x)
        finally:
            for hook in watched:
                hook.remove()
        loss = mixed(self.loss, sr.float(), target, taught.float(), self.share)
        if not self.pairs:
            return loss
        distances = [attention_distance(features[ours], features[theirs]) for ours, theirs in self.pairs]
        return loss + self.feature_weight * torch.stack(distances).mean()


def _keep(features: dict[nn.Module, Tensor], module: nn.Module, _: Any, output: Tensor) -> None:
    features[module] = output


class Distillation(Regression):
    """Minimise a pixel loss against hr and a teacher's output together, and how far their features differ.

    Without the teacher's part (`share` 0 and no `layers`) it is the regression itself, bit for bit, and the teacher
    does not run. Checkpoints hold the teacher's hash and not its weights.

    Args:
        teacher: a trained net of the same scale and colour.
        share: of the loss that is measured against the teacher's output, in [0, 1].
        layers: pairs of names, a layer of the student and one of the teacher, such as [[body, body]].
        feature_weight: weight of the features' distance, at least 0.
        net: the student, in its training form.
        regression: the other arguments of `Regression`.

    Raises:
        ValueError: a teacher of another scale or colour, a share or weight outside its range, a layer that is not
            there; at a resume, another teacher than before.

    Source: Hinton et al. (arXiv 1503.02531); features as in attention transfer (arXiv 1612.03928).
    """

    _teacher: Net

    def __init__(
        self,
        *,
        teacher: Net,
        share: float,
        layers: Pairs,
        feature_weight: float,
        net: Net,
        **regression: Any,
    ) -> None:
        super().__init__(net=net, **regression)
        self.share, self.feature_weight = check_share("task.share", share), feature_weight
        if feature_weight < 0:
            raise ValueError(f"task.feature_weight is at least 0, got {feature_weight}")
        check_pair(net, teacher)
        self.layers = _checked_layers(net, teacher, layers)
        teacher = teacher.to(memory_format=torch.channels_last).requires_grad_(False).eval()
        object.__setattr__(self, "_teacher", teacher)  # no submodule, so that it is in no checkpoint

    def on_fit_start(self) -> None:
        """Look whether this machine can do what is asked; the teacher follows to its device."""
        super().on_fit_start()
        self._teacher.to(self.device)

    def learns_from(self) -> list[nn.Module]:
        """Return the teacher."""
        return [self._teacher]

    def objective(self, bf16: bool) -> nn.Module:
        """The module (lr, hr) -> loss that iterations minimise; without a teacher's part, that of regression."""
        if not self.share and not (self.layers and self.feature_weight):
            return super().objective(bf16)
        mix: dict[str, Any] = {"share": self.share, "layers": self.layers, "feature_weight": self.feature_weight}
        return DistillationObjective(self.net, self._teacher, self.loss, **mix, bf16=bf16)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the random state, and who taught."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["teacher"] = fingerprint(self._teacher)[:16]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the random state of the checkpoint, and with the same teacher only."""
        super().on_load_checkpoint(checkpoint)
        if checkpoint["teacher"] != fingerprint(self._teacher)[:16]:
            raise ValueError(
                "the teacher has other weights than when this run started; put them back, or start a new run with "
                "another `experiment=`"
            )


def _checked_layers(net: Net, teacher: Net, layers: Pairs) -> Pairs:
    """Return pairs of names, each a layer of its net."""
    for pair in layers:
        if isinstance(pair, str) or len(pair) != 2:
            raise ValueError(f"task.layers has pairs [layer of the student, layer of the teacher], got {pair!r}")
        for who, each, name in (("student", net, pair[0]), ("teacher", teacher, pair[1])):
            if not name or name not in dict(each.named_modules()):
                there = ", ".join(key for key, _ in each.named_modules() if key and ".branches" not in key)
                raise ValueError(
                    f"task.layers: the {who} ({type(each).__name__}) has no layer {name!r}; it has {there}"
                )
    return layers
