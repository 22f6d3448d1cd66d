"""`sweep_time.py` with a tiny sweep: one training, and each result counted where it was made."""

import runpy
from pathlib import Path

import pytest

timed_sweep = runpy.run_path(str(Path(__file__).with_name("sweep_time.py")))["timed_sweep"]
pytestmark = [pytest.mark.aimet, pytest.mark.timeout(600)]


def test_a_sweep_is_timed_by_what_its_runs_made_themselves(tmp_path):
    found = timed_sweep(
        tmp_path,
        [
            "data=photos", "data.test=[]", "train.iterations=20", "train.chunk=4", "train.precision=fp32",
            "train.validate_every=20", "train.checkpoint_every=20", "data.batch_size=2", "data.lr_patch=16",
            "data.val_images=1", "data.val_crop=128", "quantization=w8a8_per_tensor,w8a8_ptq", "size=64x96",
            "quantization.calibration_batches=1", "callbacks.cost.num_repeats=1", "callbacks.sensitivity=null",
        ],
    )  # fmt: skip
    assert len(found.training) == 1, "a sweep over schemes trains once"
    first, second = found.stages.values()
    assert set(first) >= {"quantized/quantized.json", "evaluation/float.json"}
    assert "quantized/quantized.json" in second and "evaluation/float.json" not in second, "it is the first run's"
    assert found.wall > found.parts > 0
