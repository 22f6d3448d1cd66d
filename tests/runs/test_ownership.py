"""Each setting belongs to the stages that it changes; a setting without an owner trains anew."""

import pytest

from sr.config.composition import plain
from sr.experiment import compose
from sr.runs.ownership import OWNERS, owners, settings_of


def test_every_key_and_group_of_a_composed_config_is_in_the_table():
    config = compose([])
    known = {pattern.split(".")[0] for pattern in OWNERS}
    assert {str(key) for key in config} - known == set()
    assert {"train.protocol", "data.test", "machine"} <= OWNERS.keys()


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("optimizer.lr=1e-3", {"train"}),
        ("model.m=3", {"train"}),
        ("seed=3", {"train", "prune", "quantize", "sensitivity"}),
        ("data.val_images=3", {"train", "prune", "quantize", "sensitivity"}),
        ("data.test=[set5]", set()),
        ("data.root=/elsewhere", set()),
        ("init=elsewhere", set()),
        ("protocol=rgb", {"evaluate", "perceptual"}),
        ("measures=[niqe]", {"perceptual"}),
        ("train.protocol=rgb", {"train", "quantize"}),
        ("quantization=w8a8_qat", {"quantize"}),
        ("quantization.stages.qat.iterations=7", set()),
        ("quantization.stages.gptq.damping=0.02", {"quantize"}),
        ("size=720p", {"export", "cost"}),
        ("export=litert", {"export"}),
        ("callbacks.images.crop=64", {"images"}),
        ("callbacks.export=null", {"export"}),
        ("machine.accelerator=cpu", set()),
        ("machine.threads=1", set()),
        ("launcher=ray", set()),
        ("logger=none", set()),
        ("experiment=other", set()),
        ("+new_key=1", {"train"}),
    ],
)
def test_a_setting_changes_the_stages_that_it_belongs_to(override, changed):
    before, after = (plain(compose(["model=quicksrnet", "logger=none", *more])) for more in ([], [override]))
    stages = {stage for found in OWNERS.values() for stage in found}
    assert {stage for stage in stages if settings_of(stage, before) != settings_of(stage, after)} == changed


def test_the_longest_pattern_decides():
    assert owners("data.test") == () and "train" in owners("data.lr_patch")
    assert owners("quantization.stages.tuned.teacher") == ()
