"""The former name of `sr.pretrained` is answered with the new one."""

import subprocess
import sys


def test_the_new_command_is_told():
    done = subprocess.run([sys.executable, "-m", "sr.shipped", "list"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "Error: sr.shipped is called sr.pretrained now; write python -m sr.pretrained list\n"
