"""The disk is full, or a quota is used up: a clear answer, nothing half-done, and all goes on when there is room."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import resource
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.support.fire import (
    NOTHING_MISSING,
    Admin,
    Sender,
    Stand,
    batches,
    same_everywhere,
    signed_in,
    stand,
    worker_pids,
)
from tests.support.process import Running
from tests.support.product import until

pytestmark = pytest.mark.slow


class Disk(Protocol):
    def fill(self, running: Running) -> None: ...
    def make_room(self, running: Running) -> None: ...


class SmallDisk:
    """A file system of its own, filled to the last byte."""

    def __init__(self, folder: Path) -> None:
        self._filler = folder / "filler"

    def fill(self, running: Running) -> None:
        del running
        with self._filler.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            for size in (2**16, 2**12, 1):
                with contextlib.suppress(OSError):
                    while filler.write(b"x" * size):
                        pass

    def make_room(self, running: Running) -> None:
        del running
        self._filler.unlink()


class Quota:
    """No file may be written any more."""

    def fill(self, running: Running) -> None:
        self._limit(running, 0)

    def make_room(self, running: Running) -> None:
        self._limit(running, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(running: Running, soft: int) -> None:
        for pid in worker_pids(running):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m,mode=700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only who may mount can have a small disk")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def quota(folder: Path) -> Iterator[Disk]:
    del folder
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux can limit a process that runs")
    yield Quota()


@pytest.mark.parametrize("kind", [small_disk, quota])
def test_when_nothing_can_be_written_nothing_is_half_done(
    kind: type[contextlib.AbstractContextManager[Disk]], tmp_path: Path
) -> None:
    chance = random.Random(5)
    with kind(tmp_path / "var") as disk, stand(tmp_path) as there, there.serve() as running:  # type: ignore[call-arg]
        with signed_in(there.product.url) as admin, Sender(there.product.url, admin.capture) as sender:
            taken = {event["uuid"] for batch in batches(chance, 300) for event in _sent(sender, batch)}
            disk.fill(running)
            taken |= _until_it_is_full(sender, chance)
            refused = batches(chance, 400)
            for batch in refused:
                answer = sender.batch(batch)
                assert (answer.status, answer.json["code"]) == (503, "unavailable")
                assert int(answer.headers["retry-after"]) > 0
            assert recorded(there) == taken
            for path in ("/healthz", "/", "/api/v1/csrf"):
                assert sender.post(b"", path=path, method="GET").status == 200
            full = admin.status()  # the administrator may look, now above all
            assert (full.missing(), full.dropped) == (NOTHING_MISSING, {})
            pids = worker_pids(running)
            disk.make_room(running)
            taken |= {event["uuid"] for batch in refused for event in _sent(sender, batch)}
            until(partial(_all_delivered, admin), 120)
            status = admin.status()
        assert worker_pids(running) == pids
        assert (status.missing(), status.dropped) == (NOTHING_MISSING, {})
        assert status.raw["counts"]["refused"]["unavailable"] >= len(refused)
        assert running.stop() == 0
        same_everywhere(there, taken)


def _sent(sender: Sender, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answer = sender.batch(batch)
    assert (answer.status, answer.json) == (200, {"status": 1})
    return batch


def _until_it_is_full(sender: Sender, chance: random.Random) -> set[str]:
    """Files have room in themselves; what is taken until that is used up."""
    taken: set[str] = set()
    for batch in batches(chance, 40_000):
        if sender.batch(batch).status == 503:
            return taken
        taken |= {event["uuid"] for event in batch}
    raise AssertionError(os.strerror(errno.ENOSPC) + " never came about")


def recorded(there: Stand) -> set[str]:
    """The page events in the log."""
    with there.log() as log:
        return {row[0] for row in log.execute("SELECT uuid FROM outbox WHERE origin = 'browser'")}


def _all_delivered(admin: Admin) -> bool:
    status = admin.status()
    return not any(status.channel(name)["pending"] for name in ("local", "posthog"))
