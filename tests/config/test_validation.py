"""A composed config is refused by the first key that cannot be meant."""

import pytest

from sr.config.validation import check_settings
from sr.experiment import compose


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["quantization.stages.qat.iterations=abc"], r"^quantization.stages.qat.iterations is a whole number .*'abc'$"),
        (["+train.itterations=5"], r"^There is no key train.itterations, .*Did you mean train.iterations"),
        (["+foo=1"], r"^There is no key foo, "),
        (["+callbacks.cost.foo={a: 1}"], r"^There is no key callbacks.cost.foo.a, "),
        (["data=folder", "+data.rot=x"], r"^There is no key data.rot, .*data.root"),
        (["train=5"], r"^train holds settings .*, got 5$"),
        (["~train.chunk"], r"^train.chunk was taken out"),
        (["seed=???"], r"^seed has no value"),
        (["train.iterations=${nothing}"], r"^train.iterations has no value: Interpolation key 'nothing' not found$"),
        (["data.batch_size=${train.ema_decay}"], r"^data.batch_size is a whole number from 1 to 65536, got 0.999$"),
        (["optimizer.betas=[${alpha},5]"], r"^optimizer.betas\[1\] is a number of at least 0 and below 1, got 5$"),
        (["trainer.max_steps=5"], r"^trainer.max_steps follows from train.iterations"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(overrides: list[str], message: str):
    with pytest.raises(ValueError, match=message) as caught:
        check_settings(compose([*overrides, "logger=none"]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "overrides",
    [
        ["callbacks.cost=null"],
        ["+callbacks.mine={_target_: my.package.Callback, key: 1}"],
        ["optimizer._target_=torch.optim.SGD", "+optimizer.momentum=0.9"],
        ["+trainer.gradient_clip_val=1"],
        ["train.iterations=0", "scheduler=step"],
        ["export.engines={}", "experiment=2024"],
    ],
)
def test_open_nodes_and_null_parts_are_taken(overrides: list[str]):
    check_settings(compose([*overrides, "logger=none"]))


@pytest.mark.parametrize("name", list(compose(["logger=none"]).callbacks))
def test_every_callback_can_be_switched_off(name: str):
    check_settings(compose(["logger=none", f"callbacks.{name}=null"]))
