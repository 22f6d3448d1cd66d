"""The command line as a user types it: quick answers, clear refusals."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def sr_run(*arguments: str, cwd, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "sr.run", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--help"], 0, "sweeps=quicksrnet_depth"),
        (["--cfg", "job"], 0, "iterations:"),
        (["model.mm=5"], 1, "There is no key model.mm, and what is added with + nothing reads. Did you mean model.m"),
        (["iterations=5"], 1, "Did you mean train.iterations"),
        (["model=quicksrnet_smal"], 1, "Did you mean model=quicksrnet_small"),
        (["sweeps=nets_equal"], 1, "Did you mean sweeps=nets_equal_budget"),
    ],
)
def test_answers_in_two_seconds(tmp_path, arguments, status, text):
    resource = pytest.importorskip("resource", reason="this system does not tell the CPU time of a command")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = sr_run(*arguments, cwd=tmp_path)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime  # of CPU: a test machine is not quiet
    assert result.returncode == status
    assert text in result.stdout + result.stderr
    assert seconds < 2


def test_two_sweeps_at_once_are_refused(tmp_path):
    result = sr_run("sweeps=quicksrnet_depth", "hydra.mode=RUN", f"hydra.run.dir={tmp_path}/run", cwd=tmp_path)
    assert result.returncode == 1
    assert "model.m got no value" in result.stderr


SETTINGS = ["train.iterations=40", "train.chunk=10", "train.validate_every=40", "callbacks=train_only", "logger=none"]


def one_line(result: subprocess.CompletedProcess) -> str:
    """Return the only line of an error."""
    assert result.returncode == 1, result.stderr
    lines = [line for line in result.stderr.splitlines() if line]
    assert len(lines) == 1 and lines[0].startswith("Error: "), result.stderr
    return lines[0]


def make_file(path):
    path.write_text("")
    return path


def make_link_loop(path):
    path.symlink_to(path)
    return path / "run"


def make_dangling(path):
    path.symlink_to(path.parent / "gone" / "away")
    return path / "run"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (make_file, "File exists"),
        (make_link_loop, "Too many levels of symbolic links"),
        (make_dangling, "File exists"),
        (lambda path: path / ("long" * 80), "File name too long"),
        (lambda path: "/proc/run", "No such file or directory"),
    ],
)
def test_a_folder_that_cannot_be_made_is_one_line(tmp_path, make, text):
    folder = make(tmp_path / "place")
    assert text in one_line(sr_run(*SETTINGS, f"hydra.run.dir={folder}", cwd=tmp_path))


def test_a_full_disk_at_the_start_is_one_line(tmp_path):
    resource = pytest.importorskip("resource", reason="this system limits no file sizes")
    result = subprocess.run(
        [sys.executable, "-m", "sr.run", *SETTINGS, f"hydra.run.dir={tmp_path}/run"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "File too large" in one_line(result)


@pytest.mark.parametrize(
    ("overrides", "environment", "text"),
    [
        (["+trainer.strategy=quantum"], {"HYDRA_FULL_ERROR": "0"}, "quantum"),
        (["+trainer.strategy=tpu_of_nobody"], {}, "tpu_of_nobody"),
    ],
)
def test_errors_of_libraries_are_one_line_and_kept(tmp_path, overrides, environment, text):
    result = sr_run(*SETTINGS, *overrides, f"hydra.run.dir={tmp_path}/run", cwd=tmp_path, **environment)
    assert text in one_line(result)
    failure = json.loads((tmp_path / "run/failed.json").read_text())
    assert failure["traceback"].startswith("Traceback")
    assert failure["error"] in result.stderr


SLURM = {
    f"SLURM_{name}": value for name, value in {"NTASKS": "4", "JOB_ID": "7", "PROCID": "0", "LOCALID": "0"}.items()
}
SLURM |= {"SLURM_NODEID": "0", "SLURM_JOB_NAME": "train", "SLURM_JOB_NODELIST": "n1"}


def test_one_device_needs_no_slurm_tasks(tmp_path):
    result = sr_run(*SETTINGS, f"hydra.run.dir={tmp_path}/run", cwd=tmp_path, **SLURM)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "run/report.json").is_file()


def test_what_a_setting_switches_off_is_not_imported(tmp_path):
    code = f"""
import runpy, sys
sys.argv = ["sr.run", *{SETTINGS!r}, "export=none", "quantization=fp32", "hydra.run.dir={tmp_path}/run"]
try:
    runpy.run_module("sr.run", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
switched_off = {{"wandb", "tensorboard", "aimet_torch", "openvino", "onnxruntime_qnn"}} & set(sys.modules)
assert not switched_off, switched_off
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "run/report.json").is_file()
    assert not (tmp_path / "run/logs").exists()


def caught(process: subprocess.Popen) -> bool:
    """Whether a process has installed its handler of SIGTERM, as Linux tells."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return False
    mask = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")), "0")
    return bool(int(mask, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux tells which signals are caught")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("seconds", [0, 0.3, 1, 2.5])
def test_a_stop_in_the_first_seconds_ends_with_the_word(tmp_path, number, seconds):
    command = [sys.executable, "-m", "sr.run", *SETTINGS, "train.iterations=100000", f"hydra.run.dir={tmp_path}/run"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while not caught(process) and process.poll() is None:
            time.sleep(0.005)
        time.sleep(random.uniform(seconds, 1.2 * seconds))
        process.send_signal(number)
        error = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number, error
    assert error.count("Stopped") == 1 and "Traceback" not in error, error
    assert not (tmp_path / "run/failed.json").exists()
