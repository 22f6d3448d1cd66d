"""The command line's word is the user's own."""

import pytest

from sr.bench.setting import composed
from sr.config.own_targets import named_targets
from sr.config.targets import build_node
from sr.experiment import made


def test_the_command_line_may_name_any_class():
    node = {"_target_": "fractions.Fraction", "numerator": 3}
    assert named_targets() == []
    with composed(["model._target_=fractions.Fraction"]):
        assert named_targets() == ["fractions.Fraction"]
        assert build_node(node, own=named_targets()) == 3
    with pytest.raises(ValueError, match="on no list"):
        build_node(node, own=named_targets())


def test_a_class_that_is_not_there_is_told():
    with (
        composed(["model._target_=my.module.Net"]) as (config, _),
        pytest.raises(ValueError, match=r"^_target_='my.module.Net' cannot be imported: No module named 'my'$"),
    ):
        made(config.model)
    with pytest.raises(ValueError, match=r"^_target_='Net' cannot be imported"):
        build_node({"_target_": "Net"}, own=["Net"])
