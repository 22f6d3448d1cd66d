"""Jobs a minute of a sweep."""

import pytest

from sr.bench.sweep_rate import measure_sweep

TINY = ["model=quicksrnet", "model.f=4", "model.m=1", "data.batch_size=2", "data.lr_patch=16", "train.chunk=4"]
SMALL = ["data.val_images=1", "data.val_crop=64", "size=32x48", "callbacks.cost.num_repeats=1"]


def test_every_job_of_every_launcher_counts() -> None:
    found = measure_sweep(overrides=[*TINY, *SMALL], launcher="joblib", num_jobs=2, iterations=4)
    (row,) = found.figures["launchers"]
    assert row["launcher"] == "joblib" and row["ratio"] == 1
    assert row["jobs_per_minute"] == pytest.approx(120 / row["seconds"])
    assert found.tables[0].rows == [row] and found.setting["num_jobs"] == 2


def test_a_launcher_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="--launcher is a list of basic, joblib, ray, slurm, got dask"):
        measure_sweep(overrides=[], launcher="basic,dask", num_jobs=2, iterations=4)
