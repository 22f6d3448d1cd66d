"""Every sweep expands, and each of its jobs composes; see tests/test_end_to_end.py for two that truly run."""

from pathlib import Path

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from sr.experiment import compose

SWEEPS = sorted(path.stem for path in (Path(__file__).resolve().parents[1] / "sweeps").glob("*.yaml"))
HEADER = ("# Question:", "# Jobs:")


def jobs(name: str) -> list[list[str]]:
    """The overrides of each job, as Hydra's sweeper makes them."""
    params = compose([f"sweeps={name}"], with_hydra=True).hydra.sweeper.params
    overrides = OverridesParser.create().parse_overrides([f"{key}={value}" for key, value in params.items()])
    return [list(job) for job in BasicSweeper.split_arguments(overrides, max_batch_size=None)[0]]


def test_there_are_sweeps():
    assert SWEEPS


@pytest.mark.parametrize("name", SWEEPS)
def test_sweep_says_its_question_and_every_job_composes(name, repo_root):
    text = (repo_root / "sweeps" / f"{name}.yaml").read_text()
    assert all(line in text for line in HEADER)
    assert f"experiment: {name}" in text
    expanded = jobs(name)
    assert f"# Jobs: {len(expanded)}" in text, f"the header of {name} should say {len(expanded)} jobs"
    for job in expanded:
        assert compose([f"sweeps={name}", *job]).experiment == name
