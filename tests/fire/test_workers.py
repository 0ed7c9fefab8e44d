"""Several server processes on one PostgreSQL: they share what happens, and each event is told once."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from tests.support.fire import (
    NOTHING_MISSING,
    OURS,
    Admin,
    Driver,
    Sender,
    Status,
    batches,
    configured,
    signed_in,
    worker_pids,
)
from tests.support.product import until

pytestmark = pytest.mark.slow
EVENTS, WORKERS, REFUSED = 3_000, 3, 12


def test_nothing_is_lost_or_done_twice_when_one_of_several_is_killed(tmp_path: Path, postgres_url: str) -> None:
    sent = batches(random.Random(5), EVENTS)
    with configured(tmp_path) as there:
        there.product.also(workers=WORKERS, database={"url": postgres_url})
        there.init()
        with there.serve() as running, signed_in(there.product.url) as admin:
            with Driver(there.product.url, admin.capture, sent, connections=24) as driver:
                until(partial(driver.has, EVENTS // 3), 60)
                killed, *others = worker_pids(running)
                os.kill(killed, signal.SIGKILL)
                until(partial(driver.has, EVENTS), 60)
            # Were it the one that delivers: its lease lasts half a minute (tests/web/test_runtime.py has it pass on).
            status = until(partial(_delivered, admin), 90)
            assert set(others) < set(until(lambda: _all(worker_pids(running))))
            for _ in range(REFUSED):
                # A connection each, so that each process gets some.
                with Sender(there.product.url, admin.capture) as sender:
                    assert sender.post(b"no JSON").status == 400
            until(lambda: admin.status().raw["counts"]["refused"] == {"bad_json": REFUSED})
            assert running.stop() == 0
        taken = Counter(event["uuid"] for event in there.posthog.look())
    assert set(driver.answers) == {200}
    assert status.missing() == NOTHING_MISSING
    assert status.accepted == EVENTS + OURS
    assert len(taken) == EVENTS + OURS
    assert driver.acknowledged < taken.keys()
    # What the killed one had sent and not written down goes again, under the same uuid: PostHog counts it once.
    assert taken.total() - len(taken) <= 1_000


def _all(pids: list[int]) -> list[int] | None:
    return pids if len(pids) == WORKERS else None


def _delivered(admin: Admin) -> Status | None:
    status = admin.status()
    return status if status.channel("posthog")["pending"] == 0 else None
