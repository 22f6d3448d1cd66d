"""Each kind refuses wrong types, NaN, infinity, null and values beyond its bounds, in one line with the key."""

from typing import Any

import pytest

from sr.config.kinds import Choice, Flag, Follows, Kind, Label, Many, Named, Number, Optional, Size, Text, Whole

NAN, INF = float("nan"), float("inf")
PAIR = Many(Number(least=0, below=1), length=2)
SOURCE = Named(fields=(("path", Text()), ("shrink", Number(least=1))))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Whole(0), [0, 7], [-1, 0.5, NAN, INF, "7", True, None, [1], {"a": 1}, 10**10]),
        (Whole(2, 5), [2, 5], [1, 6]),
        (Number(above=0, most=1), [1, 0.1], [0, 1.1, NAN, INF, "0.1", False, None, [0.1]]),
        (Number(least=0, below=1), [0, 0.999], [1, -1]),
        (Flag(), [True, False], [0, 1, "yes", None, [True]]),
        (Choice("a", "b"), ["a"], ["c", "", None, ["a"], 1]),
        (Choice(1.5, 2), [2, 2.0, 1.5], [True, "2", 3, NAN]),
        (Text(), ["a"], ["", "  ", 1, True, None, ["a"]]),
        (Text(empty=True), ["", "a"], [1, None]),
        (Label(), ["a", 7], ["", 1.5, None, True]),
        (Size(), ["1080p", "540x960"], ["1080", 1080, "0x5", "540 x 960", "100000x100000", None, NAN, ["1080p"]]),
        (PAIR, [[0.9, 0.99]], [[0.9], [0.9, 1], 0.9, "ab", None, {"a": 1}, [[0.9, 0.9]]]),
        (Many(Text()), [[], ["a"]], ["a", ["a", 1], None, 3]),
        (Named(Whole()), [{}, {"a": 1}], [{"a": 0}, [1], "a", None]),
        (SOURCE, [{"path": "a"}], [{"path": ""}, {"pth": "a"}, {"path": "a", "shrink": NAN}]),
        (Optional(Whole()), [None, 1], [0, "null"]),
        (Follows("scale"), [], [2, None]),
    ],
)
def test_a_kind_takes_what_is_meant_and_refuses_the_rest(kind: Kind, good: list[Any], bad: list[Any]):
    for value in good:
        kind.check("some.key", value)
    for value in bad:
        with pytest.raises(ValueError, match=r"some\.key|size=") as caught:
            kind.check("some.key", value)
        assert "\n" not in str(caught.value)


def test_advice_names_what_to_type():
    with pytest.raises(ValueError, match=r"^init is text, or null, got the value 5; write 'init=\"5\"'$"):
        Optional(Text()).check("init", 5)
    with pytest.raises(
        ValueError, match=r"^quantization\.chain is a list, got 'qat'; write quantization\.chain=\[qat\]$"
    ):
        Many(Text()).check("quantization.chain", "qat")
    with pytest.raises(ValueError, match=r"^data\.chunk follows from train\.chunk, got 3; set train\.chunk instead$"):
        Follows("train.chunk").check("data.chunk", 3)
