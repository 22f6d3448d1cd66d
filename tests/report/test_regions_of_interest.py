"""Where pictures differ."""

import numpy as np

from sr.report.regions_of_interest import Box, spots, window


def alike(count: int, height: int = 64, width: int = 80) -> list[np.ndarray]:
    return [np.full((height, width, 3), 100, np.uint8) for _ in range(count)]


def test_the_first_spot_is_where_the_runs_differ_and_spots_do_not_overlap() -> None:
    first, second, third = alike(3)
    second[10:26, 40:56] = 130
    third[40:56, 8:24] = 110
    found = spots([first, second, third], 4)
    assert found[:2] == [Box(40, 10, 16, 16), Box(8, 40, 16, 16)]
    assert len(found) == 2  # the rest is equal


def test_one_failed_net_does_not_decide() -> None:
    pictures = alike(5)
    pictures[0][:, :] = 255  # far off everywhere
    pictures[1][20:36, 20:36] = 140
    assert spots(pictures, 1) == [Box(20, 20, 16, 16)]


def test_a_window_holds_the_strongest_difference() -> None:
    first, second = alike(2)
    second[50:60, 60:78] = 0
    box = window([first, second], 32)
    assert box.x <= 60 and box.x + box.width >= 78 and box.y <= 50 and box.y + box.height >= 60
    assert window([first, second], 0) == Box(0, 0, 80, 64)
