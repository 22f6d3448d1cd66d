"""What is kept of a run: its scores, length, command and commit; no image, no time, no path of its machine."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from sr.results.kept_run import reduced_report, without_machine_paths
from tests.report.conftest import score

StartRun = Callable[..., Path]


def test_scores_and_provenance_are_kept_and_the_rest_is_not(started_run: StartRun) -> None:
    whole = score(36.123456) | {"per_image": [{"name": "baby", "psnr_y_db": 36.0}]}
    run = started_run("data.root=/data/photos", "machine.threads=1", quality={"float": {"set5": whole}})
    kept = reduced_report(run)
    assert kept.quality == {"float": {"set5": score(36.1235)}}
    assert kept.made_by == {"commands": ["python -m sr.run model=quicksrnet_small data.root=.../photos"]}
    assert (kept.git["commit"], kept.training["total_iterations"]) == ("0" * 40, 5000)
    assert kept.run.startswith("quicksrnet_small_x2-w8a8_qat-seed_0-")
    assert kept.config["quantization"]["chain"] == ["qat"]
    text = json.dumps(asdict(kept))
    assert str(run.parent) not in text and "/data" not in text
    assert "median_ms" not in text and not kept.stage_seconds
    assert len(text) < 3000, "small enough for version control"


def test_the_length_counts_the_runs_before(started_run: StartRun) -> None:
    first = started_run(experiment="outputs", run="first", training={"iterations": 3000})
    again = started_run(f"init={first}", run="again", config={"init": str(first)}, training={"iterations": 500})
    kept = reduced_report(again)
    assert kept.training["total_iterations"] == 3500
    assert kept.config["init"] == "outputs/first"
    assert [command.rpartition(" ")[2] for command in kept.made_by["commands"]] == [
        "model=quicksrnet_small", "init=outputs/first",
    ]  # fmt: skip


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no report\.json, so it is not finished"):
        reduced_report(tmp_path)


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("init=outputs/main/x scale=2", "init=outputs/main/x scale=2"),
        ("data=mix init=pretrained/quicksrnet_small", "data=mix init=pretrained/quicksrnet_small"),
        (r"data.root=C:\Users\me\photos", "data.root=.../photos"),
        ("'data.test=[set5,/a/b/city]'", "'data.test=[set5,.../city]'"),
        ("init=/a/b/outputs/main/x/float/weights.safetensors", "init=outputs/main/x/float/weights.safetensors"),
    ],
)
def test_only_absolute_paths_are_cut(command: str, kept: str) -> None:
    assert without_machine_paths(command) == kept
