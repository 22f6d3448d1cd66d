"""Jobs by a real Ray of this machine."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from sr.launch.ray_jobs import refuse_too_large, run_by_ray, wanted_gpus

SETTINGS = {"address": None, "cpus": 1, "gpus": None, "retries": 2}


def test_a_job_whose_worker_is_killed_runs_on_another(make_job, capsys):
    jobs = [make_job(0, killed="os.getppid()"), make_job(1, "nothing=1")]
    ends = {end.number: end for end in run_by_ray(jobs, SETTINGS)}
    assert (ends[0].error, ends[0].starts) == ("", 2)
    assert "There is no key nothing" in ends[1].error
    assert "2 jobs by Ray, 1 CPUs and 0 GPUs each" in capsys.readouterr().out


@contextmanager
def started_cluster(port: int) -> Iterator[str]:
    """A cluster of this machine that `ray start --head` starts, with the address."""
    options = ["--head", "--block", f"--port={port}", "--num-cpus=1", "--include-dashboard=false"]
    command = [str(Path(sys.executable).with_name("ray")), "start", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        for _ in range(600):
            time.sleep(0.1)
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
        yield f"127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def test_a_cluster_that_the_message_asks_for_takes_the_jobs(make_job):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {**SETTINGS, "address": f"127.0.0.1:{port}"}
    with pytest.raises(ValueError, match=rf"launcher.address=127.0.0.1:{port}: no Ray answers .*ray start --head"):
        list(run_by_ray([make_job()], settings))
    with started_cluster(port):
        (end,) = run_by_ray([make_job(1)], settings)
    assert end.error == ""


def test_a_job_that_no_machine_can_hold_is_refused():
    machines = [{"CPU": 8.0, "GPU": 2.0}, {"CPU": 64.0}]
    refuse_too_large(8, 2, machines)
    with pytest.raises(ValueError, match=r"cpus=9 launcher.gpus=1: no machine.*64 CPUs and 2 GPUs"):
        refuse_too_large(9, 1, machines)
    assert wanted_gpus(None, machines) == 1 and wanted_gpus(0.25, machines) == 0.25
