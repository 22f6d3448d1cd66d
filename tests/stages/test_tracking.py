"""What a finished run hands to its logger; the whole way to W&B's log is in tests/end_to_end/test_multirun.py."""

from pathlib import Path

from sr.report.record import Report
from sr.stages.tracking import artifact_name, model_files


def report(run: str) -> Report:
    empty = {name: {} for name in ("git", "versions", "data", "training", "quality", "cost", "export", "stage_seconds")}
    return Report(experiment="main", run=run, config={"scale": 2}, protocol="y", **empty)


def test_the_model_is_all_that_it_can_be_used_and_trained_further_from(tmp_path: Path) -> None:
    wanted = {"float/weights.safetensors", "checkpoints/last.ckpt", "export/dcr.onnx", "export/aimet/net.encodings"}
    for name in (*wanted, "images/set5.png", "logs/version_0/metrics.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert {path.relative_to(tmp_path).as_posix() for path in model_files(tmp_path)} == wanted


def test_long_names_keep_the_end_that_tells_them_apart() -> None:
    assert artifact_name(report("model_a=b")) == "main-model_a_b"
    first, second = (artifact_name(report("x" * 120 + end)) for end in ("-0000aaaa", "-0000bbbb"))
    assert len(first) == 128 and first != second
