"""Pruning with rewind: what is masked, what is rewound, what is refused, and exact resume anywhere."""

import pytest
import torch

from sr.experiment import compose
from sr.models.weights import read_weights
from sr.pruning.masks import kernels, masked_share, pruned
from sr.tasks.magnitude_pruning import ROUNDS, Pruning
from tests.tasks.tiny import batch, check_resume, fit, net, settings


def task(**changes):
    own = dict(rounds=3, fraction=0.2, rewind=0.5, iterations=36, scope="global", optimizer_state="rewound")
    return Pruning(**settings(**own | changes))


@pytest.mark.parametrize("kind", ["none", "sesr"])
def test_rounds_end_with_their_sparsities_in_the_deployed_net(tmp_path, kind):
    module = task(net=net(overparameterize=kind), iterations=21, rounds=10, rewind=0.1, fraction=0.2)
    fit(module, tmp_path, steps=21)
    found = [round(100 * record["sparsity"], 1) for record in module.records]
    assert found == pytest.approx([0, 20, 36, 48.8, 59.0, 67.2, 73.8, 79.0, 83.2, 86.6, 89.3], abs=0.11)
    assert all(record["psnr_y_db"] > 5 for record in module.facts()["rounds"])
    weights = [each.weight for each in module.deployable().modules() if isinstance(each, torch.nn.Conv2d)]
    zeros = sum(int((weight == 0).sum()) for weight in weights) / sum(weight.numel() for weight in weights)
    assert zeros == pytest.approx(0.893, abs=1e-3)
    for record in module.records:
        kept = read_weights(tmp_path / ROUNDS.format(record["round"]))
        kernels = torch.cat([value.flatten() for value in kept.values() if value.dim() == 4])
        assert (kernels == 0).float().mean() == pytest.approx(record["sparsity"], abs=1e-5), "the net of each round"


def test_the_schedule_is_constant_unless_another_is_named():
    named = {"": "ConstantLR", "scheduler=step": "StepLR"}
    for override, kind in named.items():
        config = compose(["task=pruning", *([override] if override else [])])
        assert config.scheduler._target_.endswith(f".{kind}")


@pytest.mark.parametrize("kind", ["none", "sesr"])
@pytest.mark.parametrize("stop", [5, 10, 20, 30])
def test_a_resumed_fit_equals_an_uninterrupted_one_bit_for_bit(tmp_path, stop, kind):
    whole, second = check_resume(lambda: task(net=net(overparameterize=kind)), tmp_path, steps=36, stop=stop)
    assert [record["psnr_y_db"] for record in whole.records] == [record["psnr_y_db"] for record in second.records]


@pytest.mark.parametrize("state", ["rewound", "reset"])
def test_a_round_starts_from_the_rewind_point(tmp_path, state):
    module = task(optimizer_state=state, ema_decay=0)
    assert (module.rewind_at, module.ends) == (4, [12, 20, 28, 36])
    early = task(ema_decay=0)
    fit(early, tmp_path, steps=4)
    fit(module, tmp_path, steps=12)
    for name, parameter in module.net.named_parameters():
        layer = name.removesuffix(".weight")
        wanted = dict(early.net.named_parameters())[name] * module.masks.get(layer, 1)
        torch.testing.assert_close(parameter, wanted, rtol=0, atol=1e-7)
    assert bool(module.trainer.optimizers[0].state) == (state == "rewound")


def test_masks_take_the_smallest_and_keep_what_was_masked():
    found = {"a": torch.tensor([4.0, -1.0]), "b": torch.tensor([2.0, 3.0])}
    ones = {name: torch.ones(2) for name in found}
    first = pruned(found, ones, 0.25, "global")
    assert first["a"].tolist() == [1, 0] and first["b"].tolist() == [1, 1]
    assert masked_share(pruned(found, first, 0.5, "layer")) == 0.5
    with pytest.raises(ValueError, match="would remove all 2 weights of layer b"):
        pruned({"a": torch.tensor([9.0, 9.0]), "b": torch.tensor([1.0, 1.0])}, ones, 0.5, "global")


def test_a_layer_that_the_global_scope_empties_keeps_weights_in_its_own():
    found = {"small": torch.full((4,), 0.01), "large": torch.ones(4)}
    masks = {name: torch.ones(4) for name in found}
    with pytest.raises(ValueError, match=r"all 4 weights of layer small; .* or use task\.scope=layer"):
        pruned(found, masks, 0.5, "global")
    assert all(mask.sum() == 2 for mask in pruned(found, masks, 0.5, "layer").values())


def test_gradients_reach_the_branches_through_the_mask():
    module = task(net=net(overparameterize="sesr"))
    masks = pruned(kernels(module.net, module.masks), module.masks, 0.5, "global")
    module.masks = masks
    module._mask()
    assert masked_share({name: each for name, each in kernels(module.net, masks).items()}) == pytest.approx(
        0.5, abs=1e-3
    )
    module.objective(False)(*batch(0)).backward()
    assert all(parameter.grad is not None for parameter in module.net.parameters())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rewind": 1.5}, r"task.rewind must be a fraction of a round in \[0, 1\], got 1.5"),
        ({"fraction": 1.0}, r"a fraction in \(0, 1\), got 3, 1.0"),
        ({"scope": "net"}, "task.scope must be global or layer, got 'net'"),
        ({"iterations": 3}, "3 iterations are too few for 4 rounds"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        task(**changes)
