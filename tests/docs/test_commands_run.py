"""Each command of README.md and docs/*.md runs to its end, in a scratch folder and with tiny settings.

One process imports what the commands need; each command is a fork of it. Where there is no fork, each is a process.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path

import pytest

from tests.docs.pages import COMMAND, PAGES, blocks, words
from tests.docs.scratch_folder import fill
from tests.docs.tiny_commands import ENDLESS, tiny, tiny_run

Context = ForkServerContext | SpawnContext
pytestmark = [pytest.mark.slow, pytest.mark.aimet, pytest.mark.qnn]
IMPORTED = ["sr.job", "sr.experiment", "sr.stages.export", "sr.report.command", "sr.dashboard.command", "aimet_torch"]
TO_RUN = {
    page.name: [
        (found["name"], words(found["rest"]))
        for block in blocks()
        if block.page == page.name and block.kind == "console" and block.reason is None
        for line in block.lines
        if (found := COMMAND.match(line))
    ]
    for page in PAGES
}
SECONDS = 1200
DONE: set[tuple[str, ...]] = set()
"""Commands that ran already: pages share them."""


def in_folder(command: list[str], folder: Path, log: Path) -> None:
    """Run a command in this process, its output in a file; the process ends with the command's status."""
    with open(log, "wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    place = folder / "trained" if "~model" in command else folder
    os.chdir(place)
    sys.path.insert(0, str(place))
    sys.argv = list(command)
    from sr.console import main

    status: object = 1
    try:
        status = main(command[1:])
    except SystemExit as end:
        status = end.code
    except KeyboardInterrupt:
        status = 130
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


@pytest.fixture(scope="module")
def processes() -> Context:
    """The kind of process: a fork of one that has imported everything, where the system has forks."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    return context


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory, processes: Context) -> Iterator[Path]:
    """The scratch folder, with finished runs of the experiments that the pages name."""
    folder = tmp_path_factory.mktemp("pages")
    fill(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("SR_OUTPUTS", "outputs"), ("SR_DATA", "sets"), ("SR_CACHE", "cache")):
            patch.setenv(name, str(folder / value))
        patch.setenv("OMP_NUM_THREADS", "1")
        for made in (
            ["experiment=main", "data=folder", "data.root=photos", "export=hexagon"],
            ["experiment=main", "model=quicksrnet_medium", "data=folder", "data.root=photos", "export=none"],
            ["experiment=release", "model=quicksrnet_medium", "data=folder", "data.root=photos", "export=hexagon"],
            ["experiment=main", "scale=4", "model=quicksrnet_small", "data=folder", "data.root=photos", "export=none"],
            ["experiment=mine", "data=folder", "data.root=photos", "quantization=fp32", "export=none"],
        ):
            run(tiny_run(made), folder, processes)
        yield folder


def run(command: list[str], folder: Path, processes: Context) -> None:
    """Run a command to its end; one that runs until Ctrl-C gets it once it has printed something."""
    if tuple(command) in DONE:
        return
    log = folder / f"{len(DONE)}.log"
    log.unlink(missing_ok=True)  # of a command that failed
    process = processes.Process(target=in_folder, args=(command, folder, log))
    process.start()
    began = time.monotonic()
    end = began + SECONDS
    if any(option in command for option in ENDLESS):
        while process.is_alive() and time.monotonic() < end and not (log.exists() and log.stat().st_size):
            time.sleep(0.2)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
    good = (0, 130) if any(option in command for option in ENDLESS) else (0,)
    printed = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    assert process.exitcode in good, f"{' '.join(command)}\nstatus {process.exitcode}\n{printed[-3000:]}"
    DONE.add(tuple(command))
    print(f"{time.monotonic() - began:6.1f} s  {' '.join(command)}", flush=True)


@pytest.mark.parametrize("page", [name for name, commands in TO_RUN.items() if commands])
def test_every_command_of_a_page_runs_to_its_end(page: str, scratch: Path, processes: Context) -> None:
    failed = []
    for program, arguments in TO_RUN[page]:
        try:
            run(tiny(program, arguments, scratch), scratch, processes)
        except (AssertionError, IndexError) as error:
            failed.append(f"sr {program} {' '.join(arguments)}\n  {error}")
            print(failed[-1], flush=True)
    assert not failed, f"{len(failed)} of {len(TO_RUN[page])} commands:\n" + "\n\n".join(failed)
