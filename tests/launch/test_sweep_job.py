"""What a launcher can tell of a job without running it."""

import dataclasses
import signal

import pytest

from sr.launch.sweep_job import error_in, refuse_other_files, was_killed, without_launcher


@pytest.mark.parametrize(
    ("status", "killed"), [(-signal.SIGKILL, True), (-signal.SIGSEGV, True), (-signal.SIGTERM, False), (1, False)]
)
def test_only_what_the_system_killed_is_started_again(status, killed):
    assert was_killed(status) is killed


def test_the_error_is_the_last_that_the_output_names(tmp_path):
    log = tmp_path / "0-1.log"
    log.write_text("Error: first\nwarning\nError: the disk is full\nmore\n")
    assert error_in(log, 1) == "the disk is full"
    log.write_text("Segmentation fault\n")
    assert error_in(log, -11) == f"the process was killed by SIGSEGV; its output: {log}"


def test_a_machine_without_the_folders_of_the_launcher_is_refused(make_job, tmp_path):
    job = make_job()
    assert refuse_other_files(job) == ""
    elsewhere = dataclasses.replace(job, logs=tmp_path / "elsewhere" / ".sweeps" / "one")
    assert "must lie on a file system that all machines share" in refuse_other_files(elsewhere)
    assert "start the sweep in a folder that all share" in refuse_other_files(
        dataclasses.replace(job, home=tmp_path / "absent")
    )


def test_a_job_does_not_start_a_launcher_of_its_own():
    assert without_launcher(["launcher=slurm", "+launcher.gpus=1", "model=sesr"]) == ["model=sesr"]
