"""A folder is replaced so that a kill at any moment leaves the old one or the new one."""

import random
import subprocess
import sys
import time
from pathlib import Path

from sr.runs.replacement import replace_folder, whole_folders

FILES = 20
LOOP = """
import itertools, sys
from pathlib import Path
from sr.runs.replacement import replace_folder
above = Path(sys.argv[1])
for number in itertools.count():
    new = above / f".new-{number}"
    new.mkdir()
    for index in range(%d):
        (new / str(index)).write_text(str(number))
    replace_folder(new, above / "net")
    print(number, flush=True)
"""


def content(above: Path) -> set[str]:
    (found,) = whole_folders(above)
    files = list(found.iterdir())
    assert len(files) == FILES
    return {path.read_text() for path in files}


def test_a_kill_at_any_moment_leaves_one_whole_folder(tmp_path: Path):
    chance = random.Random(0)
    for attempt in range(12):
        above = tmp_path / str(attempt)
        above.mkdir()
        with subprocess.Popen([sys.executable, "-c", LOOP % FILES, above], stdout=subprocess.PIPE) as process:
            assert process.stdout and process.stdout.readline() == b"0\n"
            time.sleep(chance.uniform(0, 0.02))
            process.kill()
        assert len(content(above)) == 1, "a mixture of two"


def stopped(tmp_path: Path, place: str, old: str) -> Path:
    """What is there after a stop between two steps."""
    for name, version in (("net", place), (".net.old", old)):
        for index in range(FILES if version else 0):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / str(index)).write_text(version)
    return tmp_path


def test_every_state_that_a_stop_leaves_is_read_and_replaced(tmp_path: Path):
    for number, (place, old, seen) in enumerate([("a", "", "a"), ("", "a", "a"), ("b", "a", "b"), ("", "", None)]):
        above = tmp_path / str(number)
        above.mkdir()
        stopped(above, place, old)
        if seen:
            assert content(above) == {seen}
        new = above / ".new"
        new.mkdir()
        for index in range(FILES):
            (new / str(index)).write_text("new")
        replace_folder(new, above / "net")
        assert content(above) == {"new"}
        assert [path.name for path in above.iterdir()] == ["net"]
