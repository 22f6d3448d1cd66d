"""Run folders to show."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sr.functional.picture import save_png
from sr.report.record import Report, write_report


def score(psnr_db: float, ssim: float = 0.9, protocol: str = "y", **others: Any) -> dict[str, Any]:
    channel = "rgb" if protocol == "rgb" else "y"
    images = [{"name": f"image_{i}", f"psnr_{channel}_db": psnr_db + i, f"ssim_{channel}": ssim} for i in range(2)]
    found = {f"psnr_{channel}_db": psnr_db, f"ssim_{channel}": ssim, "num_images": 2, "protocol": protocol}
    return found | {"per_image": images} | others


def config(f: int, m: int, seed: int, protocol: str) -> dict[str, Any]:
    model = {"_target_": "sr.models.quicksrnet.QuickSRNet", "f": f, "m": m, "scale": 2, "residual": "none"}
    scheme = {"name": "w8a8_ptq", "weight_bits": 8, "activation_bits": 8, "per_channel": True, "stages": []}
    return {
        "scale": 2, "seed": seed, "protocol": protocol, "model": model, "quantization": scheme, "train": {"chunk": 10},
        "task": {"_target_": "sr.tasks.regression.Regression"}, "data": {"root": "images"},
    }  # fmt: skip


def write_run(
    place: Path, experiment: str = "nets", run: str = "model_a", *, psnr: float = 31.0, drop: float = 0.1, f: int = 32,
    m: int = 2, seed: int = 0, ms: float = 100.0, protocol: str = "y", sets: tuple[str, ...] = ("set5", "bsd100"),
    **replaced: Any,
) -> Path:  # fmt: skip
    """A finished run as the stages leave it: report, config, log."""
    folder = place / experiment / run
    (folder / "logs" / "version_0").mkdir(parents=True)
    settings = config(f, m, seed, protocol)
    content: dict[str, Any] = {
        "experiment": experiment, "run": run, "config": settings, "protocol": protocol,
        "git": {"commit": "0" * 40, "dirty": False}, "versions": {"torch": "2.14.1"}, "data": {"fingerprint": "f00d"},
        "training": {"iterations": 1000, "seconds": 20.0, "iterations_per_second": 50.0, "loader_wait_share": 0.01},
        "quality": {
            "bicubic": {name: score(29.56, 0.84, protocol) for name in sets},
            "float": {name: score(psnr, 0.89, protocol) for name in sets},
            "simulated": {name: score(psnr - drop, 0.88, protocol) for name in sets},
        },
        "cost": {
            "parameters": f * m * 1000, "macs_g": f * m / 4, "latency_torch_cpu": {"median_ms": ms},
            "latency_onnxruntime_cpu": {"median_ms": ms / 2},
        },
        "export": {
            "links": [{"first": "float", "second": "simulation", "max_lsb": None, "max_share": None,
                       "largest_lsb": 9, "differing_share": 0.5, "holds": True},
                      {"first": "simulation", "second": "crd", "max_lsb": 2, "max_share": None, "largest_lsb": 1,
                       "differing_share": 0.001, "holds": True}],
            "hexagon": {"estimates": [{"chip": "SA8775P", "product": "automotive", "htp_arch": 73,
                                       "estimate_us": 10 * ms, "lower_us": 9 * ms, "upper_us": 11 * ms}]},
        },
        "stage_seconds": {"quantize": 6.0, "export": 20.0},
    }  # fmt: skip
    write_report(Report(**(content | replaced)), folder)
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    lines = [f",{10 * (i + 1)},{1 / (i + 1):.4f},\n" for i in range(20)] + [",200,,30.5\n"]
    (folder / "logs/version_0/metrics.csv").write_text("epoch,step,train/loss,val/psnr_y_db\n" + "".join(lines))
    return folder


def write_pictures(folder: Path, noise: int, side: int = 96, image: str = "bird") -> None:
    """Whole pictures of one test image, alike for all runs but for noise in one spot of what the run made."""
    rng = np.random.default_rng(0)
    hr = rng.integers(60, 190, (side, side, 3), dtype=np.uint8)
    made = hr.copy()
    x, y = 60, 20
    made[y : y + 16, x : x + 16] = np.clip(made[y : y + 16, x : x + 16].astype(int) + noise, 0, 255)
    layers = {"nearest": hr // 2, "bicubic": hr // 2 + 20, "float": made, "w8a8_ptq": made // 2 + 40, "hr": hr}
    files = {}
    for column, pixels in layers.items():
        files[column] = f"images/set5_{image}/{column}.png"
        save_png(pixels, folder / files[column])
    entry = {"files": [], "columns": list(layers), "layers": [{"set": "set5", "image": image, "files": files}]}
    (folder / "images/images.json").write_text(json.dumps(entry))


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a finished run below `tmp_path`."""

    def make(experiment: str = "nets", run: str = "model_a", **settings: Any) -> Path:
        return write_run(tmp_path, experiment, run, **settings)

    return make


@pytest.fixture
def make_score() -> Callable[..., dict[str, Any]]:
    """Build the score of a set."""
    return score


@pytest.fixture
def make_pictures() -> Callable[..., None]:
    """Write pictures into a run's folder."""
    return write_pictures


def patched(old: Any, change: Any) -> Any:
    """Undo `delta`, as the function of the same name in page/dom.js does."""
    if change is None:
        return old
    kind, parts, *gone = change
    if kind == "=":
        return parts
    if kind == "#":
        return [patched(value, parts.get(str(index))) for index, value in enumerate(old)]
    kept = {key: value for key, value in old.items() if key not in gone[0]}
    return kept | {key: patched(old.get(key), part) for key, part in parts.items()}


@pytest.fixture
def undo_delta() -> Callable[[Any, Any], Any]:
    """Put a value together from the one before and its delta."""
    return patched


@pytest.fixture
def unpack_runs() -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """Read the whole runs of a page's content."""
    return lambda content: list(itertools.accumulate([None, *content["runs"]], patched))[1:]
