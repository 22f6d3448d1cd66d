"""The process of a job: its end, its kills, its stop."""

import threading
import time

import pytest

from sr.launch.job_process import JobProcesses, run_by_worker


def test_a_job_gets_its_threads_and_its_output_a_file(make_job):
    job = make_job()
    end = run_by_worker(job)
    assert (end.error, end.starts) == ("", 1) and end.host
    assert "train:" in job.log(1).read_text()


def test_a_job_that_fails_is_not_tried_again(make_job):
    end = run_by_worker(make_job(0, "nothing=1"))
    assert "There is no key nothing" in end.error and end.starts == 1


@pytest.mark.parametrize(("times", "error"), [(1, ""), (9, "it was killed 3 times, launcher.retries=2")])
def test_a_killed_job_is_started_again_up_to_the_retries(make_job, times, error):
    job = make_job(killed="os.getpid()", times=times)
    end = run_by_worker(job)
    assert end.error == error and end.starts == min(times + 1, 3)
    assert "the process was killed by SIGKILL" in job.log(1).read_text()


def test_a_stop_ends_the_jobs_that_run_and_starts_no_more(make_job):
    processes, ends = JobProcesses(), []
    jobs = [make_job(0), make_job(1)]
    threads = [threading.Thread(target=lambda job: ends.append(processes.run(job)), args=[job]) for job in jobs]
    threads[0].start()
    while not jobs[0].log(1).is_file():
        time.sleep(0.01)
    processes.stop()
    threads[1].start()
    for thread in threads:
        thread.join(timeout=60)
    assert "stopped by SIGTERM" in ends[0].error
    assert ends[1].error == "stopped before it began"
