"""Fixtures that all tests share, and the policy of skipped tests: each reason is known, else CI fails."""

import contextlib
import importlib.util
import logging
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from sr.runs.cores import num_cores

ROOT = Path(__file__).resolve().parents[1]
MAY_SKIP = (
    r"needs a GPU|no CUDA device",
    r"no image sets at",
    r"BasicSR|basicsr",  # needs an older torchvision than ours
    r"qai-hub is installed here",  # its tests would send jobs
    r"not a git checkout",
    r"POSIX thing|no fork on this system|no /proc on this system|this system does not tell the CPU time",
    r"onnxruntime-qnn, the Hexagon compiler, is not installed",  # no wheel for this system
    r"no SLURM on this machine",  # a cluster's daemons; submitit's local executor is tested everywhere
    r"the browser tests need Chromium",  # .ci/run installs it where it may
)
"""Reasons for which a test may be skipped. Under CI any other reason fails the session."""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SHARED = Path(os.environ.get("SR_DATA", ROOT.parent / "shared" / "data"))


def pytest_configure(config: pytest.Config) -> None:
    """Share the cores between the workers of xdist, and give absl's log handler a stream that it leaves open.

    Two workers of two threads each on two cores ran small nets at an eighth of the speed of two of one thread.
    AIMET configures logging when it is imported, which closes all handlers. absl's handler then closes the stderr that
    pytest captured while it collected the tests.
    """
    if workers := config.getoption("numprocesses", None):  # they and their processes take over this environment
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, num_cores() // workers)))
    with contextlib.suppress(ImportError):
        from absl import logging as absl_logging

        absl_logging.get_absl_handler().python_handler.stream = sys.__stderr__


def pytest_runtest_setup(item: pytest.Item) -> None:
    """The HTP compiler is a wheel for two systems: elsewhere its tests are skipped; where it is broken they fail."""
    if item.get_closest_marker("qnn") and importlib.util.find_spec("onnxruntime_qnn") is None:
        pytest.skip("onnxruntime-qnn, the Hexagon compiler, is not installed")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real image sets, or a skip that says what is missing."""
    if not (SHARED / "MANIFEST.csv").is_file():
        pytest.skip(f"no image sets at {SHARED}; set SR_DATA to a folder that holds them")
    return SHARED


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The checkout under test."""
    return ROOT


@pytest.fixture(autouse=True)
def _private_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoded images of the tests stay out of the user's cache, but are shared between tests."""
    monkeypatch.setenv("SR_CACHE", str(tmp_path_factory.getbasetemp() / "sr-cache"))


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Undo what Hydra did to logging in this process: it sets levels and writes to a captured stream."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium of the system, driven by Playwright; a skip that says what is missing."""
    api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright: make install-dev")
    if CHROMIUM is None:
        pytest.skip("the browser tests need Chromium: apt-get install chromium")
    with api.sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def uninstall(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """`uninstall(package)`: it cannot be imported in this test, nor can its modules that are loaded already."""

    def hide(package: str) -> None:
        for module in [package, *(name for name in sys.modules if name.startswith(f"{package}."))]:
            monkeypatch.setitem(sys.modules, module, None)  # as Python notes a module that cannot be imported

    return hide


def _make(name: str, *overrides: str, scale: float = 2, seed: int = 0) -> nn.Module:
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        config = compose(f"model/{name}", overrides=[f"+scale={scale}", *overrides])
    torch.manual_seed(seed)
    return instantiate(OmegaConf.to_container(config.model, resolve=True))


@pytest.fixture(scope="session")
def make() -> Callable[..., nn.Module]:
    """`make(preset, *overrides, scale=2, seed=0)`: a net of conf/model."""
    return _make


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """`make_video(name, **how)`: the path of a small real video, see `tests.small_videos`."""
    from tests.small_videos import write_video

    return lambda name="in.mp4", **how: write_video(tmp_path / name, **how)


def skip_reasons(terminal: pytest.TerminalReporter) -> Counter[str]:
    """Return the reasons of all skipped tests with their counts."""
    reports = terminal.stats.get("skipped", [])
    return Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reports)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line for each reason to skip."""
    for reason, count in sorted(skip_reasons(terminalreporter).items()):
        known = any(re.search(pattern, reason) for pattern in MAY_SKIP)
        terminalreporter.write_line(f"skipped {count}: {reason}" + ("" if known else "  <- not expected, see MAY_SKIP"))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a CI session that skipped a test for a reason that `MAY_SKIP` does not list."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is None or os.environ.get("CI") != "true":
        return
    unexpected = [why for why in skip_reasons(terminal) if not any(re.search(known, why) for known in MAY_SKIP)]
    if unexpected and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
