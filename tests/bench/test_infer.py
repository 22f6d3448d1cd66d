"""Which runtimes are timed, at which size, and what is refused."""

from pathlib import Path

import onnx
import pytest
from omegaconf import OmegaConf

from sr.bench.infer import measure_infer, onnxruntime_pass
from sr.bench.loops import task_of
from sr.bench.setting import composed
from sr.doctor.environment import quantized_convolution
from sr.export.release import write_float

SIZE = ["size=18x32", "machine.threads=1"]
SMALL = ["model=quicksrnet_small", "model.f=8", "model.m=1", "scale=3"]
TORCH = ["torch fp32", "torch fp32 channels_last", "torch bf16 channels_last"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What a finished run leaves that is timed: its config and its float ONNX file."""
    with composed(SMALL) as (config, _):
        chosen = OmegaConf.create({name: config[name] for name in ("model", "scale", "protocol")})
        net = task_of(config).deployable()
    (tmp_path / "export").mkdir()
    (tmp_path / "config.yaml").write_text(OmegaConf.to_yaml(chosen, resolve=True))
    write_float(net, tmp_path / "export" / "float.onnx", (16, 16))
    return tmp_path


def test_a_net_in_torch() -> None:
    found = measure_infer([*SMALL, *SIZE], run=None, onnx=[], num_rounds=2)
    rows = found.figures["runtimes"]
    assert [row["runtime"] for row in rows][:3] == TORCH
    assert rows[0]["speed"] == 1
    assert all(0 < row["median_ms"] <= row["p95_ms"] for row in rows)
    assert (found.setting["lr_height"], found.setting["lr_width"], found.setting["scale"]) == (18, 32, 3)


def test_a_run_with_its_files(run: Path) -> None:
    found = measure_infer(SIZE, run=run, onnx=[], num_rounds=2)
    names = [row["runtime"] for row in found.figures["runtimes"]]
    assert names[-1] == f"ONNX Runtime fp32, float NCHW: {run / 'export' / 'float.onnx'}"
    assert "f=8" in found.setting["net"] and found.setting["scale"] == 3


def test_a_run_without_files_says_so(run: Path) -> None:
    (run / "export" / "float.onnx").unlink()
    found = measure_infer(SIZE, run=run, onnx=[], num_rounds=1)
    assert "has no export/float.onnx" in found.tables[0].notes[0]


def test_a_file_of_its_own_size_is_timed_at_the_asked_one(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    onnx.save(quantized_convolution(), path)  # fixed at 16x16
    name, call = onnxruntime_pass(path, 8, 24, num_threads=1)
    assert name.startswith("ONNX Runtime int8 QDQ, float NCHW")
    assert call()[0].shape == (1, 3, 8, 24)


def test_what_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no ONNX file at"):
        measure_infer([*SMALL, *SIZE], run=None, onnx=[tmp_path / "none.onnx"], num_rounds=1)
    with pytest.raises(ValueError, match="no run at"):
        measure_infer(SIZE, run=tmp_path / "none", onnx=[], num_rounds=1)
    with pytest.raises(ValueError, match="--run defines the net, got also scale=2"):
        measure_infer(["scale=2"], run=run, onnx=[], num_rounds=1)
