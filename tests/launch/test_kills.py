"""Twenty random kills of jobs and of Ray's workers: no job is lost, and each ends with the weights that it had to."""

import hashlib
import random
import sys
import time
from pathlib import Path

import psutil
import pytest
from safetensors.torch import load_file

from tests.launch.test_sweep import TINY, sr_run

KILLS = 20
LONG = [text for text in TINY if not text.startswith(("train.iterations", "train.checkpoint"))]
SWEEP = ["-m", *LONG, "train.iterations=400", "train.checkpoint_every=20", "seed=0,1,2,3,4,5"]


def victims(launcher: int) -> list[psutil.Process]:
    """The processes of jobs, and the workers of Ray that run one."""
    found = []
    for process in psutil.Process(launcher).children(recursive=True):
        try:
            command = process.cmdline()
        except psutil.Error:
            continue
        if "sr.run" in command or any("run_by_worker" in text for text in command):
            found.append(process)
    return found


def weights(place: Path) -> dict[str, str]:
    """The digest of the tensors of each run; the file also has the config, where the two caches differ."""
    found = {}
    for path in sorted(place.glob("sweep/*/float/weights.safetensors")):
        tensors = sorted(load_file(path).items())
        found[path.parts[-3]] = hashlib.sha256(b"".join(tensor.numpy().tobytes() for _, tensor in tensors)).hexdigest()
    return found


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX thing")
def test_no_job_is_lost(tmp_path: Path):
    calm = sr_run(tmp_path / "calm", *SWEEP, "launcher=joblib")
    assert calm.wait(timeout=1800) == 0
    process = sr_run(tmp_path / "killed", *SWEEP, "launcher=ray", "launcher.retries=100")
    chosen, kills = random.Random(0), 0
    while process.poll() is None:
        time.sleep(chosen.uniform(1, 6))
        if process.poll() is None and kills < KILLS and (found := victims(process.pid)):
            chosen.choice(found).kill()
            kills += 1
    out, error = process.communicate(timeout=60)
    print(f"{kills} kills", out)
    assert (process.returncode, kills) == (0, KILLS), error
    assert weights(tmp_path / "killed") == weights(tmp_path / "calm") and len(weights(tmp_path / "calm")) == 6
