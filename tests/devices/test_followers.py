"""Calls of process 0: who joins, and when the others may leave. The whole command is in tests/end_to_end."""

import threading

import pytest
from torch import nn

from sr.devices.followers import LEFT, Follower, Leader, crew, leader, wait_until_left
from sr.devices.world import World
from tests.devices.together import free_port


@pytest.fixture
def meeting(monkeypatch):
    """Variables as torchrun sets them."""
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("MASTER_PORT", str(free_port()))
    monkeypatch.delenv("TORCHELASTIC_USE_AGENT_STORE", raising=False)


def test_a_process_alone_leads_nobody():
    assert crew() is leader()
    with leader().joined([nn.Conv2d(1, 1, 1)], kind="train"):
        leader().release()


def test_a_call_reaches_the_others_and_they_may_leave(meeting):
    first, second = World(rank=0, size=2, local_size=2), World(rank=1, size=2, local_rank=1, local_size=2)
    lead, follower = Leader(first), Follower(second)
    lead.about = {"folder": "somewhere"}
    nets, seen = [nn.Conv2d(1, 1, 1) for _ in range(3)], []

    def follow() -> None:
        call = next(follower.calls())
        with follower.joined([nets[2]], kind="qat", step="qat"):
            seen.append(call)  # not what was called for: nothing is exchanged

    thread = threading.Thread(target=follow)
    thread.start()
    lead._store.set("call/0", '{"folder": "somewhere", "kind": "train"}')
    thread.join(20)
    assert seen == [{"folder": "somewhere", "kind": "train"}]
    with lead.keeping():
        lead.release()
        assert not lead._store.check([LEFT])
    lead.release(unless=True)
    assert not lead._store.check([LEFT])
    lead.release()
    wait_until_left(second)
