"""Knowledge distillation: a small net learns from the output and the features of a larger, trained net."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from sr.evaluation import to_network
from sr.functional.hooks import forward_hooks
from sr.losses.distillation_loss import attention_distance, check_pair, check_share, mixed
from sr.models.fingerprint import fingerprint
from sr.models.net import Net
from sr.tasks.regression import Regression

LayerPairs = Sequence[Sequence[str]]


class DistillationObjective(nn.Module):
    """Compute the loss of a batch of uint8 (lr, hr) against hr and the teacher's output.

    Args:
        net: The student in its training form.
        teacher: The trained net; it gets no gradients.
        loss: Module (sr, target) -> scalar.
        share: Weight of the loss against the teacher's output, in [0, 1]; the rest is against hr.
        layers: Pairs of layer names (student, teacher) for the feature loss.
        feature_weight: Weight of the mean feature distance.
        bf16: Whether the forward passes run in bf16 autocast; fp32 otherwise.
    """

    def __init__(
        self,
        net: Net,
        teacher: Net,
        loss: nn.Module,
        *,
        share: float,
        layers: LayerPairs,
        feature_weight: float,
        bf16: bool,
    ) -> None:
        super().__init__()
        self.net, self.teacher, self.loss, self.bf16 = net, teacher, loss, bf16
        self.share, self.feature_weight = share, feature_weight
        self.pairs = [(net.get_submodule(own), teacher.get_submodule(other)) for own, other in layers]

    def forward(self, lr: Tensor, hr: Tensor) -> Tensor:
        """Return the loss of lr (N, 3, h, w) and hr (N, 3, s*h, s*w), both uint8, as a scalar."""
        x, target = to_network(lr, self.net), to_network(hr, self.net)
        features: dict[nn.Module, Tensor] = {}
        hooks = [(module, partial(_keep, features)) for pair in self.pairs for module in pair]
        # A CUDA graph cannot cache the cast weights between steps.
        autocast = torch.autocast(lr.device.type, torch.bfloat16, enabled=self.bf16, cache_enabled=False)
        with forward_hooks(hooks), autocast:
            with torch.no_grad():
                teacher_sr = self.teacher(x)
            sr = self.net(x)
        loss = mixed(self.loss, sr.float(), target, teacher_sr.float(), self.share)
        if not self.pairs:
            return loss
        distances = [attention_distance(features[own], features[other]) for own, other in self.pairs]
        return loss + self.feature_weight * torch.stack(distances).mean()


def _keep(features: dict[nn.Module, Tensor], module: nn.Module, _: Any, output: Tensor) -> None:
    features[module] = output


class Distillation(Regression):
    """Minimise a pixel loss against hr and the teacher's output, plus a feature distance.

    With `share` 0 and no `layers`, training equals `Regression` to the bit and the teacher does not run. Checkpoints
    store a hash of the teacher, not its weights.

    Args:
        teacher: A trained net of the same scale and colour.
        share: Weight of the loss against the teacher's output, in [0, 1]; the rest is against hr.
        layers: Pairs of layer names (student, teacher), such as [[body, body]].
        feature_weight: Weight of the mean feature distance, at least 0.
        net: The student in its training form.
        regression: The other arguments of `Regression`.

    Raises:
        ValueError: If the teacher has another scale or colour, a weight is outside its range, or a layer does not
            exist; on resume, if the teacher's weights have changed.

    Source: Hinton et al. (arXiv 1503.02531); features as in attention transfer (arXiv 1612.03928).
    """

    _teacher: Net

    def __init__(
        self,
        *,
        teacher: Net,
        share: float,
        layers: LayerPairs,
        feature_weight: float,
        net: Net,
        **regression: Any,
    ) -> None:
        super().__init__(net=net, **regression)
        self.share, self.feature_weight = check_share("task.share", share), feature_weight
        if feature_weight < 0:
            raise ValueError(f"task.feature_weight must be at least 0, got {feature_weight}")
        check_pair(net, teacher)
        self.layers = _checked_layers(net, teacher, layers)
        teacher = teacher.to(memory_format=torch.channels_last).requires_grad_(False).eval()
        object.__setattr__(self, "_teacher", teacher)  # not a submodule, so that checkpoints do not contain it

    def on_fit_start(self) -> None:
        """Check that the device supports the precision, and move the teacher to the device."""
        super().on_fit_start()
        self._teacher.to(self.device)

    def learns_from(self) -> list[nn.Module]:
        """Return the teacher."""
        return [self._teacher]

    def objective(self, bf16: bool) -> nn.Module:
        """Return the module (lr, hr) -> loss; that of `Regression` if the teacher has no weight in it."""
        if not self.share and not (self.layers and self.feature_weight):
            return super().objective(bf16)
        mix: dict[str, Any] = {"share": self.share, "layers": self.layers, "feature_weight": self.feature_weight}
        return DistillationObjective(self.net, self._teacher, self.loss, **mix, bf16=bf16)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the random state and the hash of the teacher."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["teacher"] = fingerprint(self._teacher)[:16]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the random state.

        Raises:
            ValueError: If the teacher's weights differ from those at the start of the run.
        """
        super().on_load_checkpoint(checkpoint)
        if checkpoint["teacher"] != fingerprint(self._teacher)[:16]:
            raise ValueError(
                "the teacher's weights have changed since this run started; restore them, or start a new run with "
                "another `experiment=`"
            )


def _checked_layers(net: Net, teacher: Net, layers: LayerPairs) -> LayerPairs:
    """Return the pairs; raise ValueError if a layer does not exist."""
    for pair in layers:
        if isinstance(pair, str) or len(pair) != 2:
            raise ValueError(f"task.layers needs pairs [layer of the student, layer of the teacher], got {pair!r}")
        for who, each, name in (("student", net, pair[0]), ("teacher", teacher, pair[1])):
            if not name or name not in dict(each.named_modules()):
                there = ", ".join(key for key, _ in each.named_modules() if key and ".branches" not in key)
                raise ValueError(
                    f"task.layers: the {who} ({type(each).__name__}) has no layer {name!r}; it has {there}"
                )
    return layers
