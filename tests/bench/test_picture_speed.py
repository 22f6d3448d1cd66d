"""A folder is timed beside a plain loop that writes the same pixels."""

from contextlib import nullcontext

import numpy as np
import pytest
from PIL import Image

from sr.bench.picture_speed import measure_pictures

HOW = {"net": "quicksrnet_small", "precision": "int8", "runtime": "onnxruntime", "picture_size": "48x32"}


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_both_ways_are_timed_and_write_the_same_pixels(ending: str, monkeypatch, tmp_path) -> None:
    kept: list[dict[str, np.ndarray]] = []
    monkeypatch.setattr("tempfile.TemporaryDirectory", lambda: nullcontext(str(tmp_path)))
    found = measure_pictures([], num_pictures=5, num_blocks=2, ending=ending, **HOW)
    ways = {row["way"]: row for row in found.figures["ways"]}
    assert (
        ways["plain loop"]["speed"] == 1 and ways["sr upscale"]["speed"] > 0 and ways["sr upscale"]["cpu_seconds"] > 0
    )
    for way in ("sr", "plain"):
        files = sorted(tmp_path.glob(f"block_?_{way}/*.{ending}"))
        kept.append({path.name: np.asarray(Image.open(path)) for path in files})
    assert len(kept[0]) == 5 and kept[0].keys() == kept[1].keys()
    assert all(np.array_equal(kept[0][name], kept[1][name]) for name in kept[0])


def test_settings_of_a_run_are_refused() -> None:
    with pytest.raises(ValueError, match=r"takes no settings of a run, got scale=3"):
        measure_pictures(["scale=3"], num_pictures=1, num_blocks=1, ending="png", **HOW)
