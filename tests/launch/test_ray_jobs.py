"""Jobs by a real Ray of this machine."""

import pytest

from sr.launch.ray_jobs import refuse_too_large, run_by_ray, wanted_gpus

SETTINGS = {"address": None, "cpus": 1, "gpus": None, "retries": 2}


def test_a_job_whose_worker_is_killed_runs_on_another(make_job, capsys):
    jobs = [make_job(0, killed="os.getppid()"), make_job(1, "nothing=1")]
    ends = {end.number: end for end in run_by_ray(jobs, SETTINGS)}
    assert (ends[0].error, ends[0].starts) == ("", 2)
    assert "There is no key nothing" in ends[1].error
    assert "2 jobs by Ray, 1 CPUs and 0 GPUs each" in capsys.readouterr().out


def test_an_address_that_does_not_answer_is_refused(make_job):
    with pytest.raises(ValueError, match=r"launcher.address=127.0.0.1:1: no Ray answers there .*ray start --head"):
        list(run_by_ray([make_job()], {**SETTINGS, "address": "127.0.0.1:1"}))


def test_a_job_that_no_machine_can_hold_is_refused():
    machines = [{"CPU": 8.0, "GPU": 2.0}, {"CPU": 64.0}]
    refuse_too_large(8, 2, machines)
    with pytest.raises(ValueError, match=r"cpus=9 launcher.gpus=1: no machine.*64 CPUs and 2 GPUs"):
        refuse_too_large(9, 1, machines)
    assert wanted_gpus(None, machines) == 1 and wanted_gpus(0.25, machines) == 0.25
