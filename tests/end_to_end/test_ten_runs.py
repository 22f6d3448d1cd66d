"""`ten_runs.py` lists what differs, and counts apart a score whose last digit alone does."""

import runpy
from pathlib import Path

compare = runpy.run_path(str(Path(__file__).with_name("ten_runs.py")))["compare"]


def test_a_difference_is_listed_and_rounding_of_a_score_is_counted(capsys):
    before = {"default": {"score ssim": "0.9159791915332827", "float w": "ab", "step 4 train/loss": "0.5"}}
    rounded = {"default": before["default"] | {"score ssim": "0.9159791915332828"}}
    assert compare(before, before) == 0 and "3 of 3 facts of ten runs are the same, 0" in capsys.readouterr().out
    assert compare(before, rounded) == 0 and "2 of 3 facts of ten runs are the same, 1" in capsys.readouterr().out
    for other in ({"score ssim": "0.91597"}, {"float w": "ac"}, {"step 4 train/loss": "0.5000000000000001"}):
        assert compare(before, {"default": before["default"] | other}) == 1
        assert "default: " in capsys.readouterr().out
    assert compare(before, {"default": {"float w": "ab"}}) == 1, "what is gone is a difference"
