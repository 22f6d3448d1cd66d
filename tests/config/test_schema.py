"""The table of settings: what a key with `*` means, and that what it names exists."""

from sr.config.kinds import Follows
from sr.config.schema import KIND_OF_KEY, find_kind, is_section, matches


def test_a_star_stands_for_one_name():
    assert matches("quantization.stages.*.iterations", "quantization.stages.qat.iterations")
    assert not matches("callbacks.*", "callbacks.cost.target")


def test_sections_hold_settings():
    assert is_section("train") and is_section("export.bounds") and is_section("quantization.stages.qat")
    assert not is_section("train.iterations") and not is_section("trian")


def test_a_value_follows_from_a_setting_that_there_is():
    followed = {kind.source for kind in KIND_OF_KEY.values() if isinstance(kind, Follows)}
    assert followed
    assert not [key for key in followed if find_kind(key) is None and not is_section(key)]
