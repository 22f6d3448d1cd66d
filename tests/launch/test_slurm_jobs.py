"""Jobs by submitit: as processes of this machine, and by SLURM where there is one."""

import shutil
import subprocess

import pytest

from sr.launch.slurm_jobs import parameters, run_by_slurm, run_by_submitit

SETTINGS = {
    "partition": None,
    "timeout_min": 5,
    "array_parallelism": 2,
    "cpus": 1,
    "gpus": 0,
    "mem_gb": None,
    "setup": [],
    "options": {},
    "retries": 1,
}


def test_jobs_end_with_their_errors(make_job):
    jobs = [make_job(0), make_job(1, "nothing=1")]
    ends = {end.number: end.error for end in run_by_submitit(jobs, SETTINGS, cluster="local")}
    assert ends[0] == "" and "There is no key nothing" in ends[1]


def test_a_job_that_the_system_ends_is_sent_again(make_job):
    (end,) = run_by_submitit([make_job(0, killed="os.getppid()")], SETTINGS, cluster="local")
    assert (end.error, end.starts) == ("", 2)


def test_jobs_run_in_an_array_of_slurm(make_job):
    if shutil.which("sinfo") is None or subprocess.run(["sinfo"], capture_output=True, timeout=60).returncode:
        pytest.skip("no SLURM on this machine")
    jobs = [make_job(0), make_job(1, "nothing=1"), make_job(2, killed="os.getpid()")]
    ends = {end.number: end for end in run_by_slurm(jobs, SETTINGS)}
    assert ends[0].error == "" and "There is no key nothing" in ends[1].error
    assert (ends[2].error, ends[2].starts) == ("", 2)


def test_a_machine_without_slurm_is_told_what_to_do(make_job, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"needs SLURM's command sbatch.*login node"):
        next(run_by_slurm([make_job()], SETTINGS))


def test_settings_have_the_names_of_submitit():
    more = {**SETTINGS, "partition": "gpu", "gpus": 2, "options": {"account": "me"}, "setup": ["module load cuda"]}
    found = parameters(more)
    assert found["slurm_partition"] == "gpu" and found["gpus_per_node"] == 2
    assert found["slurm_additional_parameters"] == {"account": "me"} and found["slurm_setup"] == ["module load cuda"]
    assert "slurm_partition" not in parameters(SETTINGS) and "gpus_per_node" not in parameters(SETTINGS)
