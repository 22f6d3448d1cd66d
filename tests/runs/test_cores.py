"""Cores that a process may use."""

import os
import subprocess
import sys

import pytest

from sr.runs.cores import num_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="limits on cores are a POSIX thing")
def test_a_limit_counts():
    limited = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    code = f"{limited}; from sr.runs.cores import num_cores; print(num_cores())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "1\n"
    assert num_cores() >= 1
