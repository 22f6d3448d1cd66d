"""The record of a sweep, as others read it while the launcher lives."""

import subprocess
import sys

from sr.report.runs import find_runs
from sr.runs.sweep_record import SWEEPS_FOLDER, job_states, record_files, sweep_record

HOLD = """
import sys, time
from pathlib import Path
from sr.runs.sweep_record import sweep_record
outputs = Path(sys.argv[1])
with sweep_record(outputs, "one", [outputs / "main" / name for name in "abcd"]) as record:
    record.add_end(outputs / "main" / "a", "")
    record.add_end(outputs / "main" / "b", "the disk is full")
    (record.folder / "2-1.log").touch()
    print("held", flush=True)
    time.sleep(60)
"""


def test_jobs_wait_run_and_fail_as_long_as_the_launcher_lives(tmp_path):
    outputs = tmp_path / "outputs"
    (outputs / "main" / "d").mkdir(parents=True)
    (outputs / "main" / "d" / "failed.json").write_text('{"error": "of an earlier sweep"}')
    launcher = subprocess.Popen([sys.executable, "-c", HOLD, str(outputs)], stdout=subprocess.PIPE, text=True)
    try:
        assert launcher.stdout.readline() == "held\n"
        expected = {"b": ("failed", "the disk is full"), "c": ("running", "its process starts"), "d": ("waiting", "")}
        assert {path.name: state for path, state in job_states(outputs).items()} == expected
        assert len(record_files(outputs)) == 1
        for place in (outputs, outputs / "main"):
            found = {run.name: (run.status, run.error) for run in find_runs([place])}
            assert found == expected
        assert [run.status for run in find_runs([outputs / "main" / "d"])] == ["waiting"]
    finally:
        launcher.kill()
        launcher.wait()
    assert job_states(outputs) == {}
    assert [run.error for run in find_runs([outputs])] == ["of an earlier sweep"]


def test_a_sweep_without_failures_leaves_nothing_and_removes_what_dead_ones_left(tmp_path):
    jobs = [tmp_path / "main" / "a"]
    dead = tmp_path / SWEEPS_FOLDER / "dead"
    dead.mkdir(parents=True)
    with sweep_record(tmp_path, "failed", jobs) as record:
        (record.folder / "0-1.log").write_text("Error: no memory")
        record.add_end(jobs[0], "no memory")
    assert not dead.exists()
    assert (tmp_path / SWEEPS_FOLDER / "failed" / "0-1.log").is_file()
    with sweep_record(tmp_path, "well", jobs) as record:
        record.add_end(jobs[0], "")
    assert not (tmp_path / SWEEPS_FOLDER).exists()
