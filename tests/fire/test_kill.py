"""The server is killed in the middle of 10 000 events: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import random
from functools import partial

import pytest

from tests.support.fire import NOTHING_MISSING, OURS, Admin, Driver, Stand, batches, pause, same_everywhere, signed_in
from tests.support.product import until

pytestmark = pytest.mark.slow
EVENTS = 10_000
KILLS = (2_000, 4_500, 8_000)
"""So many are acknowledged when the server dies."""


def test_nothing_is_lost_and_nothing_twice_however_often_it_is_killed(there: Stand) -> None:
    chance = random.Random(3)
    sent = batches(chance, EVENTS)
    with there.serve() as running, signed_in(there.product.url) as admin:
        driver = Driver(there.product.url, admin.capture, sent)
        until(partial(driver.has, KILLS[0]), 120)
        running.kill()
    with driver:
        for acknowledged in KILLS[1:]:
            with there.serve() as running:
                until(partial(driver.has, acknowledged), 120)
                pause(chance, 0.3)
                running.kill()
        with there.serve() as running, signed_in(there.product.url) as admin:
            until(partial(driver.has, EVENTS), 120)
            until(partial(_delivered, admin), 120)
            status = admin.status()
            assert running.stop() == 0
    assert driver.broken > 0
    assert set(driver.answers) == {200}
    assert status.missing() == NOTHING_MISSING
    assert status.accepted == EVENTS + OURS + 1  # signed in twice
    assert set(status.dropped) <= {"duplicate"}
    same_everywhere(there, driver.acknowledged)


def _delivered(admin: Admin) -> bool:
    status = admin.status()
    return not any(status.channel(name)["pending"] for name in ("local", "posthog"))
