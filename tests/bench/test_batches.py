"""Generators by batch size: one row a net and a way to run it, counted and timed."""

import pytest

from sr.bench.batches import measure_batches


def test_rows_hold_what_explains_the_time() -> None:
    found = measure_batches(
        [], models="rrdbnet_tiny,mesrnet_tiny", batch_sizes="1,2", lr_side=8, num_runs=2, clock="cpu"
    )
    rows = {(row["model"], row["runtime"]): row for row in found.figures["passes"]}
    assert len(rows) >= 6 and all(row["batch_1_ms"] > 0 and row["batch_2_ms"] > 0 for row in rows.values())
    assert all(row["gflops"] > 0 and row["gb_s"] > 0 for row in rows.values())
    dense, light = (rows[name, "torch fp32"] for name in ("rrdbnet_tiny", "mesrnet_tiny"))
    assert light["macs_g"] < dense["macs_g"], "fewer multiplications,"
    assert light["moved_mb"] > dense["moved_mb"], "more to move,"
    assert light["flop_per_byte"] < dense["flop_per_byte"], "so less arithmetic for each byte"
    layers = {(row["model"], row["kind"]): row for row in found.figures["layers"]}
    assert layers["mesrnet_tiny", "depthwise 3x3"]["macs_g"] < 0.25 * layers["mesrnet_tiny", "1x1"]["macs_g"]
    for name, row in (("rrdbnet_tiny", dense), ("mesrnet_tiny", light)):
        macs = [each["macs_g"] or 0 for key, each in layers.items() if key[0] == name]
        assert sum(macs) == pytest.approx(row["macs_g"])
    half = rows["rrdbnet_tiny", "torch bf16 channels_last"]
    assert half["moved_mb"] == pytest.approx(dense["moved_mb"] / 2)


def test_batch_sizes_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="of at least 1, separated by commas, got '1,x'"):
        measure_batches([], models="rrdbnet_tiny", batch_sizes="1,x", lr_side=8, num_runs=1, clock="wall")
