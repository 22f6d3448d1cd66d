"""When a job starts processes, and with which command line."""

import sys

import pytest
from hydra.core.hydra_config import HydraConfig

from sr.config.composition import register_resolvers
from sr.devices.starting import devices_to_start, leading, led
from sr.experiment import compose


@pytest.mark.parametrize(("devices", "count"), [("auto", 0), (1, 0)])
def test_one_device_starts_nothing(devices, count):
    register_resolvers()
    assert devices_to_start(compose([f"machine.devices={devices}"])) == count


def test_what_cannot_be_is_refused_before_anything_starts():
    with pytest.raises(ValueError, match=r"machine.devices: 4096 processes on this machine"):
        devices_to_start(compose(["machine.devices=4096", "data.batch_size=4096", "machine.accelerator=cpu"]))
    with pytest.raises(ValueError, match=r"machine.devices is a whole number from 1 to 4096, or auto, got 0"):
        devices_to_start(compose(["machine.devices=0"]))


def test_a_job_of_a_sweep_is_started_alone(monkeypatch, tmp_path):
    from sr.devices import starting

    config = compose(["scale=3", "hydra.mode=MULTIRUN", "hydra.job.name=a"], with_hydra=True)
    monkeypatch.setattr(HydraConfig.instance(), "cfg", config)
    config.hydra.overrides.task, config.hydra.overrides.hydra = ["scale=3"], ["hydra.mode=MULTIRUN", "hydra.verbose=x"]
    alone = ["scale=3", "hydra.verbose=x", "hydra.mode=RUN", f'hydra.run.dir="{tmp_path}"']
    assert starting._arguments(tmp_path) == alone
    config.hydra.mode = "RUN"
    monkeypatch.setattr(sys, "argv", ["run", "scale=2"])
    assert starting._arguments(tmp_path) == ["scale=2"]


def test_what_others_are_told(tmp_path):
    told = led(tmp_path, {"seed": 1}).about
    assert told["folder"] == str(tmp_path) and told["config"] == {"seed": 1}
    with leading():
        pass
