"""What engines say before they are needed."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from sr.export.litert.interpreter import LiteRt
from sr.export.openvino import OpenVino


@pytest.mark.parametrize(
    ("engine", "bits", "message"),
    [
        (LiteRt, (8, 16), "LiteRT cannot take the 16 bits with an offset of scheme x"),
        (LiteRt, (16, 8), "LiteRT cannot take the weights of 16 bits of scheme x: it has those of 8"),
        (OpenVino, (8, 16), "OpenVINO cannot take the 16-bit activations of scheme x: it drops their quantizers"),
        (OpenVino, (16, 8), None),
        (LiteRt, (4, 8), None),
    ],
)
def test_bits_that_an_engine_lacks_are_refused_before_training(
    engine: Any, bits: tuple[int, int], message: str | None
) -> None:
    scheme = SimpleNamespace(name="x", is_float=False, weight_bits=bits[0], activation_bits=bits[1])
    with pytest.raises(ValueError, match=message) if message else nullcontext():
        own = {"portable": False} if engine is LiteRt else {}
        engine(num_threads=1, num_repeats=1, max_db=0.1, **own).check(scheme)


def test_a_portable_file_of_integers_is_refused_before_training() -> None:
    engine = LiteRt(num_threads=1, num_repeats=1, max_db=0.1, portable=True)
    engine.check(SimpleNamespace(name="fp16", is_float=True, weight_bits=16, activation_bits=16))
    scheme = SimpleNamespace(name="w8a8_gptq", is_float=False, weight_bits=8, activation_bits=8)
    with pytest.raises(ValueError, match="portable=true is exact for float nets only, got scheme w8a8_gptq"):
        engine.check(scheme)
