"""The worker of the scaling benchmark, alone: a time for each batch size."""

import json
import sys

from sr.bench import shared_training
from tests.bench.test_scale import TINY
from tests.devices.together import free_port


def test_each_batch_size_gets_its_times(tmp_path, monkeypatch):
    place = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 1, "MASTER_ADDR": "localhost"}
    for name, value in (place | {"MASTER_PORT": free_port()}).items():
        monkeypatch.setenv(name, str(value))
    path = tmp_path / "request.json"
    path.write_text(json.dumps({"overrides": TINY, "batch_sizes": [2, 4], "iterations": 4, "num_blocks": 1}))
    monkeypatch.setattr(sys, "argv", ["worker", str(path)])
    shared_training.main()
    answer = json.loads(path.with_suffix(".answer").read_text())
    assert len(answer) == 2
    assert all(times["seconds"] > 0 and times["exchange"] >= 0 for times in answer)
