"""What a process that follows does with a call; the whole of it is in tests/end_to_end/test_devices.py."""

import pytest

from sr import follower


def test_a_call_names_config_and_folder():
    config, folder = follower._run_of({"overrides": [], "config": {"machine": {"threads": None}}, "folder": "a"})
    assert config.machine.threads is None and folder.name == "a"


def test_only_a_process_that_follows_starts_it():
    with pytest.raises(AssertionError):
        follower.follow_leader([])
