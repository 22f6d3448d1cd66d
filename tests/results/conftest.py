"""Finished runs with the command that started them, and a file of compiler's estimates."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.report.conftest import make_report, make_run

__all__ = ["make_report", "make_run"]


@pytest.fixture
def started_run(make_run: Callable[..., Path]) -> Callable[..., Path]:
    """Write a finished run with its overrides; keyword arguments are those of `make_run`."""

    def make(*overrides: str, **replaced: Any) -> Path:
        run = make_run(**replaced)
        (run / ".hydra").mkdir()
        (run / ".hydra/overrides.yaml").write_text(yaml.safe_dump(["model=quicksrnet_small", *overrides]))
        return run

    return make


def net(residual: str, microseconds: int) -> dict[str, Any]:
    model = {"_target_": "sr.models.quicksrnet.QuickSRNet", "f": 32, "m": 2, "residual": residual, "scale": 2}
    estimates = [{"chip": "SA8775P", "estimate_us": microseconds, "tail": "plain"}]
    size = {"lr_height": 512, "lr_width": 512}
    return {"model": model, "scale": 2, "scheme": "w8a8_ptq", **size, "estimates": estimates}


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    """Write what `sr bench htp --json` writes for a net with and without its residual, and for one that failed."""
    path = tmp_path / "grid.json"
    nets = [net("none", 400), net("input_to_output", 500), {"overrides": ["model.m=99"], "reason": "too deep"}]
    setting = {"overrides": ["model=quicksrnet_small", "model.residual=none,input_to_output", "size=512x512"]}
    rest = {"machine": {"processor": "x"}, "versions": {"onnxruntime-qnn": "2.7.0"}, "git": {"commit": "1" * 40}}
    path.write_text(json.dumps({"setting": setting, "figures": {"nets": nets}, **rest}))
    return path
