import pytest

from sr.config.sizes import MAX_LR_PIXELS, lr_sides


def test_a_size_that_no_memory_holds_is_refused():
    assert lr_sides("2160x3840") == (2160, 3840)
    assert lr_sides("1080p") is None
    for size in ("2161x3840", "100000x100000", "9" * 5000 + "x1"):
        with pytest.raises(ValueError, match=f"is too large: the LR image has at most {MAX_LR_PIXELS} pixels"):
            lr_sides(size)
