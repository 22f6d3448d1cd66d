"""Jobs at once on this machine."""

from sr.launch.joblib_jobs import run_by_joblib


def test_jobs_end_in_any_order_and_a_failed_one_keeps_no_other(make_job, capsys):
    jobs = [make_job(0), make_job(1, "nothing=1"), make_job(2)]
    ends = {end.number: end.error for end in run_by_joblib(jobs, {"jobs": 3, "cpus": 1, "retries": 0})}
    assert ends[0] == ends[2] == "" and "There is no key nothing" in ends[1]
    assert "3 jobs by joblib, 3 at once, 1 threads each" in capsys.readouterr().out
