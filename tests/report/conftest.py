"""A finished run to take apart."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sr.report.record import Report, write_report

CONFIG: dict[str, Any] = {
    "experiment": "main",
    "scale": 2,
    "seed": 0,
    "protocol": "y",
    "model": {
        "_target_": "sr.models.quicksrnet.QuickSRNet",
        "f": 32,
        "m": 2,
        "scale": 2,
        "residual": "none",
        "upscaling": "space_to_depth",
    },
    "task": {"_target_": "sr.tasks.regression.Regression"},
    "data": {"root": "images", "sources": [{"path": "train/T91"}, {"path": "package:skimage/data"}]},
    "quantization": {
        "name": "w8a8_qat",
        "weight_bits": 8,
        "activation_bits": 8,
        "per_channel": True,
        "numbers": "integer",
        "stages": {"qat": {"_target_": "sr.quantization.qat.Qat", "seed": 0}},
        "chain": ["qat"],
    },
}


def score(psnr_db: float, ssim: float = 0.9, protocol: str = "y") -> dict[str, Any]:
    channel = "rgb" if protocol == "rgb" else "y"
    return {f"psnr_{channel}_db": psnr_db, f"ssim_{channel}": ssim, "num_images": 5, "protocol": protocol}


@pytest.fixture
def make_report() -> Callable[..., Report]:
    """Build a report; keyword arguments replace its fields, `config` only the keys that it names."""

    def make(*, config: dict[str, Any] | None = None, **replaced: Any) -> Report:
        content: dict[str, Any] = {
            "experiment": "main",
            "run": "default",
            "config": copy.deepcopy(CONFIG) | (config or {}),
            "protocol": "y",
            "git": {"commit": "0" * 40, "dirty": False},
            "versions": {"torch": "2.14.1"},
            "data": {"fingerprint": "f00d"},
            "training": {"iterations": 5000, "iterations_per_second": 50.0, "loader_wait_share": 0.01, "budget": 0.005},
            "quality": {
                "bicubic": {"set5": score(33.67, 0.9303), "bsd100": score(29.56, 0.8434)},
                "float": {"set5": score(36.50, 0.9550), "bsd100": score(31.20, 0.8890)},
                "simulated": {"set5": score(36.41, 0.9540), "bsd100": score(31.15, 0.8880)},
            },
            "cost": {"parameters": 22860, "macs_g": 11.795, "latency_torch_cpu": {"median_ms": 246.0}},
            "export": {},
            "stage_seconds": {"quantize": 60.0, "export": 20.0},
        }
        return Report(**(content | replaced))

    return make


@pytest.fixture
def make_run(tmp_path: Path, make_report: Callable[..., Report]) -> Callable[..., Path]:
    """Write a finished run's folder below `tmp_path` and return it."""

    def make(*, experiment: str = "main", run: str = "default", **replaced: Any) -> Path:
        report = make_report(experiment=experiment, run=run, **replaced)
        folder = tmp_path / experiment / run
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(yaml.safe_dump(report.config))
        write_report(report, folder)
        return folder

    return make
