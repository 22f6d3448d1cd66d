"""The cost of a net, asked for a size that this machine cannot hold."""

import pytest

from sr.building import compose
from sr.experiment import prepare
from sr.runs.results import ResultIndex


def test_a_size_beyond_the_memory(tmp_path):
    wide = ["model=quicksrnet", "model.m=0", "model.f=16384", "export=none", "quantization=fp32", "logger=none"]
    index = ResultIndex(folder=tmp_path / "index")
    with pytest.raises(ValueError, match=r"for one layer of this net, and this machine has .* GB; take a smaller size"):
        prepare(compose([*wide, "size=2160x3840"]), tmp_path / "run", index)
    prepare(compose([*wide, "size=360p"]), tmp_path / "run", index)
