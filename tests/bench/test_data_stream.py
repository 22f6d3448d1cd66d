"""The stream's figures, and a cache that is left alone."""

from pathlib import Path

import pytest
import torch

from sr.bench.data_stream import (
    FLOATS,
    KORNIA,
    STREAM,
    STREAM_COLUMNS,
    TRAINING_STEP,
    batch_rows,
    kornia_augmentation,
    measure_data,
)


@pytest.mark.parametrize("scale", [2, 1.5])
def test_decoding_streaming_and_kornia(small: list[str], tmp_path: Path, scale: float) -> None:
    found = measure_data([*small, f"scale={scale}"], num_batches=3, keep_cache=False)
    assert not list((tmp_path / "cache").iterdir())
    rows = {row["what"]: row for row in found.figures["batch"]}
    assert len(rows) == 4 and rows[STREAM]["mb_per_second"] > 0
    shares = [row["share_of_step"] for name, row in rows.items() if name != KORNIA]
    assert sum(shares) == pytest.approx(1)
    start, decoding, stream = found.figures["once"]
    side = 96 if scale == 2 else 96 // 3 * 3
    assert decoding["num_images"] == 3
    assert decoding["decoded_mb"] == pytest.approx(3 * 3 * side**2 * (1 + 1 / scale**2) / 1e6)
    if start["peak_mib"] is not None:  # Linux
        assert all(0 < row["peak_mib"] < 8192 for row in (start, decoding, stream))
    assert {column.key for column in STREAM_COLUMNS} >= rows[STREAM].keys()


def test_a_cache_that_is_to_be_kept_is_used(small: list[str], tmp_path: Path) -> None:
    found = measure_data(small, num_batches=2, keep_cache=True)
    assert [row["what"] for row in found.figures["once"]] == ["Python and libraries", "2 batches of the stream"]
    assert list((tmp_path / "cache").glob("*/index.json"))


def test_kornia_augments_both_alike() -> None:
    torch.manual_seed(0)
    hr = torch.rand(8, 3, 8, 8)
    turned = kornia_augmentation()(hr, hr.clone())
    assert torch.allclose(turned[0], turned[1], atol=1e-5)
    assert not torch.allclose(turned[0], hr, atol=1e-2)


def test_shares_are_of_the_whole_step() -> None:
    times = {STREAM: [1.0, 1.0], FLOATS: [1.0, 1.0], KORNIA: [1.0, 1.0], TRAINING_STEP: [8.0, 8.0]}
    rows = batch_rows(times, num_bytes=2_000_000)
    assert [row["share_of_step"] for row in rows] == [0.1, 0.1, 0.1, 0.8]
    assert rows[0]["mb_per_second"] == 2000
