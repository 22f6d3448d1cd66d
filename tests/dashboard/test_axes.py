"""What is known of numbers, and what happens with those that are not known."""

import json
from collections.abc import Callable
from pathlib import Path

from sr.dashboard.axes import axes_of, metric_of, metrics_of
from sr.dashboard.content import content
from sr.report.runs import find_runs


def test_a_metric_that_nobody_announced_is_shown_as_it_is_called() -> None:
    scores = [
        {"psnr_y_db": 31.0, "num_images": 5, "protocol": "y", "niqe": 4.2, "edge_sharpness": 0.5, "per_image": []}
    ]
    assert [metric.key for metric in metrics_of(scores)] == ["psnr_y_db", "niqe", "edge_sharpness"]
    assert metric_of("edge_sharpness") == ("edge_sharpness", "edge sharpness", True, 3, 0.2)
    assert not metric_of("lpips_alex").higher_is_better


def test_costs_come_npu_first_and_a_measured_pair_is_one_axis() -> None:
    axes = axes_of([
        {"parameters": 1.0, "latency_torch_cpu_ms": 9.0},
        {"latency_onnxruntime_cpu_ms": 3.0, "estimate_SA8775P_ms": 0.8, "predicted_sd8gen1_ms": 1.1},
    ])  # fmt: skip
    assert [axis.kind for axis in axes] == ["npu", "npu", "cpu", "size"]
    assert axes[0].label == "HTP estimate of the compiler, SA8775P (ms)"
    assert (axes[2].key, axes[2].quantized_key) == ("latency_torch_cpu_ms", "latency_onnxruntime_cpu_ms")


def test_a_prediction_never_comes_without_its_error(tmp_path: Path, make_run: Callable[..., Path]) -> None:
    folder = make_run(f=32, m=2)
    report = json.loads((folder / "report.json").read_text())
    report["config"]["export"] = {"size": "540x960"}
    (folder / "report.json").write_text(json.dumps(report))
    page = content(find_runs([tmp_path]), [tmp_path])
    axis = next(axis for axis in page["axes"] if axis["label"] == "Predicted, Snapdragon 8 Gen 1 (ms)")
    assert 1.5 < page["slices"][0]["rows"][0][axis["key"]] < 3.0  # published for this size: 2.24
    assert page["axis_notes"][axis["key"]].startswith("Predicted: off by ")
