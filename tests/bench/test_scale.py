"""Scaling over devices: each row by its definition, and the command with two processes."""

import pytest

from sr.bench.scale import explain, measure_scale

TINY = ["model.f=8", "model.m=1", "data.lr_patch=16", "data.batch_size=4", "machine.accelerator=cpu", "train.chunk=2"]


@pytest.mark.parametrize(
    ("devices", "says"),
    [
        ("0", "--devices must be whole numbers of at least 1"),
        ("1,x", "--devices must be whole numbers"),
        ("3", "cannot be shared equally by 3 devices|CPU cores"),
    ],
)
def test_wrong_numbers_are_refused(devices, says):
    with pytest.raises(ValueError, match=says):
        measure_scale(TINY, devices=devices, iterations=2, num_blocks=1)


def test_the_rest_is_explained():
    step = {"seconds": 0.01, "cpu_seconds": 0.01, "wait": 0.0, "exchange": 0.0}
    text = explain(step | {"cpu_seconds": 0.004, "exchange": 0.002}, step, step, 32, 16)
    assert text == "exchange 20 %, waiting for a core or another device 60 %"


@pytest.mark.slow
def test_one_and_two_processes():
    found = measure_scale(TINY, devices="1,2", iterations=4, num_blocks=2).figures["scaling"]
    assert [(row["mode"], row["devices"], row["batch_size"]) for row in found] == [
        ("batch fixed", 1, 4), ("batch fixed", 2, 4), ("patches of a device fixed", 2, 8),
    ]  # fmt: skip
    assert found[0]["efficiency"] == 1 and all(row["steps_per_second"] > 0 for row in found)
    assert all(row["exchange_ms"] > 0 for row in found[1:])
