"""Several values of an override make a grid, in the order in which they are typed."""

import pytest

from sr.bench.net_grid import expand_grid


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("model.m=0..3", ["0", "1", "2", "3"]),
        ("model.m=0..1,5", ["0", "1", "5"]),
        ("+model.m=range(0,3)", ["0", "1", "2"]),
        ("model=quicksrnet,xlsr", ["quicksrnet", "xlsr"]),
    ],
)
def test_ways_to_give_several_values(text: str, values: list[str]) -> None:
    key = text.partition("=")[0]
    points = expand_grid(["scale=3", text])
    assert [point for point, _ in points] == [["scale=3", f"{key}={value}"] for value in values]
    assert [list(varied.values()) for _, varied in points] == [[value] for value in values]


@pytest.mark.parametrize("text", ["export.estimates=[SA8775P,SA8797P]", "size=1080p", "data.root=a..b"])
def test_one_value_is_no_grid(text: str) -> None:
    assert expand_grid([text]) == [([text], {})]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model.m=3..0", r"3\.\.0 has no values: its end is below its start; write 0\.\.3"),
        ("model.m=0..99999999", "has 100000000 values, at most 10000"),
        ("seed=1..200 seed=1..200", "the grid has 40000 nets, at most 10000"),
    ],
)
def test_spans_without_sense(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        expand_grid(text.split())
