"""Process 0 leads a run: it calls the others to each training, and lets them go when no more is to come."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any

import torch
from torch import distributed, nn

from sr.devices.collectives import is_lost, send_state
from sr.devices.synced_batch_norm import synced_batch_norms
from sr.devices.world import World, address, current_world

PATIENCE = timedelta(minutes=30)
"""Longest time that a process waits for the others in a training, such as for a validation or a first decoding."""
LEFT = "left"
FOREVER = timedelta(days=365)


class Leader:
    """Process 0's hold on the others; where there are none, its methods do nothing.

    Args:
        world: Place of this process.
    """

    def __init__(self, world: World) -> None:
        self.about: dict[str, Any] = {}
        """What the others have to know of the current run, as plain containers."""
        self._world, self._calls, self._kept = world, 0, 0
        self._store = open_store(world) if world.size > 1 else None

    @contextmanager
    def joined(self, modules: Sequence[nn.Module], *, kind: str, **call: Any) -> Iterator[None]:
        """Train together with the other processes inside the block.

        Args:
            modules: What is trained, on the CPU; the others get its state.
            kind: What the others have to do.
            call: More that they have to know, as plain containers.

        Raises:
            RuntimeError: Another process ended.
        """
        if self._store is None:
            yield
            return
        number, self._calls = self._calls, self._calls + 1
        self._store.set(f"call/{number}", json.dumps({**self.about, **call, "kind": kind}))
        with _together(self._world, self._store, number, modules):
            yield

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep the others inside the block, after which more is to be trained."""
        self._kept += 1
        try:
            yield
        finally:
            self._kept -= 1

    def release(self, *, unless: bool = False) -> None:
        """Let the others leave, unless more is to be trained."""
        if self._store is not None and not self._kept and not unless:
            self._store.set(LEFT, "1")


class Follower:
    """A process that does what process 0 calls it to.

    Args:
        world: Place of this process.
    """

    def __init__(self, world: World) -> None:
        self._world, self._store = world, open_store(world)
        self._number, self._call = -1, dict[str, Any]()

    def calls(self) -> Iterator[dict[str, Any]]:
        """Yield each call of process 0, as they come."""
        while True:
            self._number += 1
            self._store.wait([f"call/{self._number}"], FOREVER)
            self._call = json.loads(self._store.get(f"call/{self._number}"))
            yield self._call

    @contextmanager
    def joined(self, modules: Sequence[nn.Module], *, kind: str, **call: Any) -> Iterator[None]:
        """Train together inside the block, if it is what process 0 called for; see `Leader.joined`."""
        if any(self._call.get(key) != value for key, value in {**call, "kind": kind}.items()):
            yield
            return
        with _together(self._world, self._store, self._number, modules):
            yield


@cache
def crew() -> Leader | Follower:
    """Return what ties this process to those that it trains with."""
    world = current_world()
    return Leader(world) if world.rank == 0 else Follower(world)


def leader() -> Leader:
    """Return the crew of process 0."""
    found = crew()
    assert isinstance(found, Leader)
    return found


def open_store(world: World) -> Any:
    """Open the store in which process 0 leaves its calls."""
    host, port, listens = address()
    return distributed.PrefixStore(
        "sr", distributed.TCPStore(host, port, None, listens and world.rank == 0, wait_for_workers=False)
    )


def wait_until_left(world: World) -> None:
    """Return when process 0 lets the others leave, or is gone."""
    try:
        open_store(world).wait([LEFT], FOREVER)
    except RuntimeError as error:
        if not is_lost(error):
            raise


@contextmanager
def _together(world: World, store: Any, number: int, modules: Sequence[nn.Module]) -> Iterator[None]:
    with process_group(world, store, number), synced_batch_norms(modules):
        send_state(modules)
        yield


@contextmanager
def process_group(world: World, store: Any, number: int) -> Iterator[None]:
    """Connect the processes of a training; outside the block, metrics and stages know of one process only.

    Args:
        world: Place of this process.
        store: The store of all processes.
        number: Number of the training, the same in all processes.
    """
    backend = "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(world.local_rank % torch.cuda.device_count())
        backend = "cpu:gloo,cuda:nccl"  # the metrics of a validation are on the CPU
    distributed.init_process_group(
        backend,
        store=distributed.PrefixStore(f"group{number}", store),
        rank=world.rank,
        world_size=world.size,
        timeout=PATIENCE,
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()
