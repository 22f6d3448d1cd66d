"""What all tests share: the place of the optional image sets, and quiet, single-threaded torch."""

import importlib.util
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SR_DATA", ROOT.parent / "shared" / "data"))


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
