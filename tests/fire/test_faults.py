"""One sink in trouble: the other has everything meanwhile, and what waited arrives in order when it is over."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from flowforge_ui.telemetry.outbox import SINKS
from tests.support.fire import NOTHING_MISSING, OURS, Admin, PostHog, Sender, Stand, page_event, signed_in, stand
from tests.support.product import until

pytestmark = pytest.mark.slow
SOME = 40
RETRY_AFTER = 3


@dataclass
class Field:
    """The running product; `send` gives some events to it, acknowledged."""

    there: Stand
    admin: Admin
    sender: Sender
    chance: random.Random

    @property
    def posthog(self) -> PostHog:
        return self.there.posthog

    def send(self, count: int = SOME) -> list[str]:
        events = [page_event(self.chance) for _ in range(count)]
        assert self.sender.batch(events).status == 200
        return [event["uuid"] for event in events]

    def is_all_delivered(self, channel: str) -> bool:
        return not self.admin.status().channel(channel)["pending"]

    def told(self) -> list[str]:
        """What PostHog has taken, in order, each once."""
        return list(dict.fromkeys(event["uuid"] for event in self.posthog.look()))


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """Its local store is held by another program at first."""
    folder = tmp_path_factory.mktemp("faults")
    with stand(folder) as there, _holder(there) as let_go, there.serve() as running:
        with signed_in(there.product.url) as admin, Sender(there.product.url, admin.capture) as sender:
            field = Field(there, admin, sender, random.Random(11))
            _while_the_local_store_cannot_be_opened(field, let_go)
            yield field
        assert running.stop() == 0


@contextlib.contextmanager
def _holder(there: Stand) -> Iterator[Callable[[], None]]:
    """Another program that holds the analytics file; gives what makes it let go."""
    path = there.product.home / "var" / "analytics.duckdb"
    program = f"import duckdb, sys; held = duckdb.connect({str(path)!r}); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()

        def let_go() -> None:
            holder.communicate(timeout=30)

        yield let_go
        if holder.poll() is None:
            holder.kill()


def _while_the_local_store_cannot_be_opened(field: Field, let_go: Callable[[], None]) -> None:
    sent = field.send()
    until(lambda: set(sent) <= field.posthog.uuids(), 60)
    local = field.admin.status().channel("local")
    assert (local["delivered"], local["pending"], local["failed"]) == (0, SOME + OURS, 0)
    assert "is held by process" in local["last_error"]
    let_go()
    until(partial(field.is_all_delivered, "local"), 60)


def test_posthog_has_everything_while_the_local_store_cannot_be_opened(held: Field) -> None:
    """The fixture has seen to it, before anything else happened; now the numbers."""
    status = held.admin.status()
    assert [status.channel(name)["delivered"] for name in ("local", "posthog")] == [SOME + OURS, SOME + OURS]
    assert (status.sent, status.missing()) == (SOME + OURS, NOTHING_MISSING)


ILL: dict[str, Callable[[PostHog], None]] = {
    "answers 503": lambda posthog: posthog.behave(status=503),
    "answers 500": lambda posthog: posthog.behave(status=500),
    "answers 429": lambda posthog: posthog.behave(status=429, retry_after=str(RETRY_AFTER)),
    "answers 200 with garbage": lambda posthog: posthog.behave("garbage"),
    "hangs": lambda posthog: posthog.behave("hang"),
    "breaks off": lambda posthog: posthog.behave("half"),
    "takes it and breaks off": lambda posthog: posthog.behave("swallow"),
    "is down": lambda posthog: posthog.down(),
}


@pytest.mark.parametrize("what", ILL)
def test_while_posthog_is_ill_the_local_store_has_everything(held: Field, what: str) -> None:
    until(partial(held.is_all_delivered, "posthog"), 90)
    before, told, asked = held.admin.status(), held.told(), len(held.posthog.asked())
    ILL[what](held.posthog)
    sent = held.send() + held.send()
    until(partial(held.is_all_delivered, "local"), 60)
    if what != "is down":
        until(lambda: len(held.posthog.asked()) > asked, 60)
    status = held.admin.status()
    assert status.channel("local")["delivered"] == before.channel("local")["delivered"] + 2 * SOME
    assert status.channel("posthog")["delivered"] == before.channel("posthog")["delivered"]
    assert (status.channel("posthog")["pending"], status.missing()) == (2 * SOME, NOTHING_MISSING)
    if what == "answers 429":
        _is_left_alone(held, asked)
    if what == "is down":
        held.posthog.up()
    held.posthog.behave()
    until(partial(held.is_all_delivered, "posthog"), 90)
    assert held.told() == told + sent


def _is_left_alone(held: Field, asked: int) -> None:
    """After a 429 it is asked again when it said, not before."""
    until(lambda: len(held.posthog.asked()) >= asked + 2, 60)
    first, second = held.posthog.asked()[asked : asked + 2]
    assert second - first >= RETRY_AFTER


def test_one_that_posthog_refuses_stops_nobody(held: Field) -> None:
    until(partial(held.is_all_delivered, "posthog"), 90)
    before, told = held.admin.status(), held.told()
    events = [page_event(held.chance) for _ in range(SOME)]
    ill = events[7]["uuid"]
    held.posthog.behave(poison=[ill])
    assert held.sender.batch(events).status == 200
    later = held.send()
    until(lambda: not any(held.admin.status().channel(name)["pending"] for name in ("local", "posthog")), 90)
    after = held.admin.status()
    change = {
        (name, state): after.channel(name)[state] - before.channel(name)[state]
        for name in ("local", "posthog")
        for state in ("delivered", "failed")
    }
    assert change == {
        ("local", "delivered"): 2 * SOME,
        ("local", "failed"): 0,
        ("posthog", "delivered"): 2 * SOME - 1,
        ("posthog", "failed"): 1,
    }
    assert set(held.told()) - set(told) == {event["uuid"] for event in events} - {ill} | set(later)
    assert after.missing() == NOTHING_MISSING
    held.posthog.behave()


# Everything at once, by chance

KINDS = ("good", "good", "mine", "mine", "repeat", "unknown", "ours", "old", "forged", "nonsense")
HEADERS: tuple[dict[str, str], ...] = ({}, {}, {}, {}, {"Sec-GPC": "1"}, {"DNT": "1"})
FAULTS = ("ok", "ok", "ok", "garbage", "half", "swallow", "503", "400", "poison")


class Chaos:
    """Requests good, repeated and hostile; a PostHog that fails in every way; switches turned; somebody opting out."""

    def __init__(self, field: Field) -> None:
        self.field, self.chance = field, field.chance
        self.known: list[dict[str, Any]] = [page_event(self.chance)]
        self.sent = 0
        self.kept = True

    def request(self) -> None:
        events = [self._event(self.chance.choice(KINDS)) for _ in range(self.chance.randint(0, 25))]
        answer = self.field.sender.batch(events, **self.chance.choice(HEADERS))
        assert (answer.status, answer.json) == (200, {"status": 1})
        self.sent += len(events)

    def fault(self) -> None:
        what = self.chance.choice(FAULTS)
        poison = [self.chance.choice(self.known)["uuid"] for _ in range(3)] if what == "poison" else []
        if what.isdecimal():
            self.field.posthog.behave(status=int(what))
        else:
            self.field.posthog.behave("ok" if poison else what, poison=poison)

    def act(self) -> None:
        match self.chance.randint(0, 7):
            case 0:
                self.keep_usage_analytics(False)
            case 1 | 2:
                self.keep_usage_analytics(True)
            case 3:
                self.field.admin.opt_out(True)
            case 4 | 5:
                self.field.admin.opt_out(False)

    def keep_usage_analytics(self, on: bool) -> None:
        """A change is an event itself, recorded or, of one who has opted out, dropped."""
        self.field.admin.keep_usage_analytics(on)
        self.sent += on != self.kept
        self.kept = on

    def _event(self, kind: str) -> Any:
        if kind == "nonsense":
            return self.chance.choice([None, 7, "text", [], {}, {"event": 1}, {"event": "$pageview", "properties": []}])
        if kind == "repeat":
            return self.chance.choice(self.known)
        event = page_event(self.chance, **(self.field.admin.person if kind == "mine" else {}))
        self.known.append(event)
        if kind == "unknown":
            event["event"] = "nothing of ours"
        if kind == "ours":
            event["event"] = "team created"
        if kind == "old":
            event["timestamp"] = "2020-01-01T00:00:00Z"
        if kind == "forged":
            event["properties"]["distinct_id"] = "u_" + "a" * 26
        return event


def test_under_random_faults_the_numbers_add_up(held: Field) -> None:
    until(partial(held.is_all_delivered, "posthog"), 90)
    before = held.admin.status()
    chaos = Chaos(held)
    for _ in range(30):
        chaos.request()
        chaos.fault()
        chaos.act()
        status = held.admin.status()
        assert status.missing() == NOTHING_MISSING
        assert status.sent - before.sent == chaos.sent
    chaos.keep_usage_analytics(True)
    held.posthog.behave()
    until(lambda: not any(held.admin.status().channel(name)["pending"] for name in ("local", "posthog")), 180)
    status = held.admin.status()
    assert status.missing() == NOTHING_MISSING
    assert {name: {state: status.channel(name)[state] for state in STATES} for name in SINKS} == _in_the_log(held)
    assert set(status.dropped) >= {"duplicate", "unknown_event", "wrong_side", "too_old", "identity_unproven"}
    assert {"gpc", "dnt", "malformed", "opted_out"} <= set(status.dropped)
    assert status.channel("local")["abandoned"] > 0


STATES = ("pending", "delivered", "failed", "abandoned")
WAITS = "SELECT 1 FROM outbox_pending WHERE outbox_id = outbox.id AND outbox_pending.sink = :bit"
TROUBLE = "SELECT state FROM outbox_trouble WHERE outbox_id = outbox.id AND outbox_trouble.sink = :sink"
FATE = f"""
SELECT CASE WHEN EXISTS ({WAITS}) THEN 'pending' ELSE coalesce(({TROUBLE}), 'delivered') END AS state, count(*)
FROM outbox WHERE addressed & :bit <> 0 GROUP BY state
"""


def _in_the_log(held: Field) -> dict[str, dict[str, int]]:
    """What the events themselves say: a witness beside the counters."""
    with held.there.log() as log:
        return {
            sink: dict.fromkeys(STATES, 0) | dict(log.execute(FATE, {"sink": sink, "bit": bit}).fetchall())
            for sink, bit in SINKS.items()
        }
