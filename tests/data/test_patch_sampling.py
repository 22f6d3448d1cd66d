"""Detail of a patch: what the tables say against sums taken one by one."""

import numpy as np
import pytest

from sr.data.patch_sampling import DETAIL_BLOCK, DetailMaps


def counted(image: np.ndarray, top: int, left: int, bottom: int, right: int) -> int:
    """Sum of absolute diagonal differences of every second green pixel whose own place lies in the rectangle."""
    green = image[..., 1].astype(int)
    return sum(
        abs(green[y, x] - green[y - 2, x - 2])
        for y in range(max(top, 2), bottom, 2)
        for x in range(max(left, 2), right, 2)
    )


@pytest.fixture
def images() -> list[np.ndarray]:
    """Sizes on and off the blocks; the last one is as small as an image can be."""
    rng = np.random.default_rng(3)
    sizes = (24, 40), (17, 33), (8, 9), (1, 1)
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]


@pytest.mark.parametrize(("top", "left", "side"), [(0, 0, 8), (8, 16, 16), (8, 16, 12), (0, 24, 3)])
def test_a_patch_on_the_blocks_is_counted_exactly(images: list[np.ndarray], top: int, left: int, side: int):
    blocks = max(1, side // DETAIL_BLOCK) * DETAIL_BLOCK
    detail = DetailMaps(images).of(np.array([0]), np.array([top]), np.array([left]), side)
    assert detail.tolist() == [counted(images[0], top, left, top + blocks, left + blocks)]


def test_places_are_rounded_to_the_nearest_block_that_fits(images: list[np.ndarray]):
    maps = DetailMaps(images)
    for image, (rows, columns) in enumerate(i.shape[:2] for i in images):
        for side in (1, 8):
            top, left = np.mgrid[0 : max(rows - side, 0) + 1, 0 : max(columns - side, 0) + 1]
            detail = maps.of(np.full(top.shape, image), top, left, side)
            y = np.minimum((top + 4) // 8, -(-rows // 8) - 1) * 8
            x = np.minimum((left + 4) // 8, -(-columns // 8) - 1) * 8
            one_by_one = [
                counted(images[image], a, b, min(a + 8, rows), min(b + 8, columns))
                for a, b in zip(y.ravel().tolist(), x.ravel().tolist(), strict=True)
            ]
            assert detail.ravel().tolist() == one_by_one


def test_large_images_do_not_overflow():
    stripes = np.zeros((4096, 4096, 3), np.uint8)
    stripes[..., 1] = (np.arange(4096) // 2 % 2 * 255)[
        :, None
    ]  # every second row that is sampled: all differences are 255
    detail = DetailMaps([stripes]).of(np.array([0]), np.array([0]), np.array([0]), 4096)
    assert detail.tolist() == [255 * 2047**2]
