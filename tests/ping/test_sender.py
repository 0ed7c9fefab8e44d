"""The sender: off is off, one of many sends, what was sent is kept to the byte, nothing disturbs the platform."""

from __future__ import annotations

import hashlib
import json
import logging
import random
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from flowforge_ui.database import transaction
from flowforge_ui.telemetry import archive
from flowforge_ui.telemetry.decision import Facts, Stated, decide
from flowforge_ui.telemetry.ping import Loop, Result, Sender
from flowforge_ui.telemetry.post import Post, PostError, Reply, post
from flowforge_ui.telemetry.wire import Field, PingPlan
from tests.conftest import FakeClock
from tests.support.hostile import answer, flood, hostile, raw

PLAN = PingPlan.load(Path(__file__).parents[2] / "flowforge_ui" / "plan" / "ping.yml")
ON = Facts(setup_finished=True)
OFF = Facts(setup_finished=True, sending=Stated(value=False, layer="file", where="flowforge.yml:3"))
RECEIPT = "0123456789abcdef" * 2
FACTS: Mapping[str, object] = {
    "instanceId": "5db51f99-c6fb-4340-9c19-78adce58cc1b",
    "os.type": "Linux",
    "os.release": "6.1.0-18",
    "os.arch": "x64",
    "env.python": "3.12.4",
    "env.flowforge": "0.9.0",
    "platform.counts.users": 3,
    "platform.counts.teams": 2,
    "platform.counts.projects": 1,
    "platform.config.driver": "localfs",
}


class Collector:
    """Plays the other end: keeps what it is given, answers what it is told."""

    def __init__(self, *answers: Reply | PostError) -> None:
        self.bodies: list[bytes] = []
        self._answers = list(answers) or [Reply(202, json.dumps({"receipt": RECEIPT}).encode(), None)]

    def __call__(self, body: bytes) -> Reply:
        self.bodies.append(body)
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(found, PostError):
            raise found
        return found


Make = Callable[..., Sender]


@pytest.fixture
def make(any_engine: Engine, clock: FakeClock) -> Make:
    def build(
        poster: Post, facts: Facts = ON, *, plan: PingPlan = PLAN, gathered: Mapping[str, object] = FACTS
    ) -> Sender:
        return Sender(
            plan=plan,
            url="http://127.0.0.1/ping",
            decide=lambda: decide("ping", facts),
            facts=lambda: gathered,
            post=poster,
            transaction=partial(transaction, any_engine),
            clock=clock,
            chance=random.Random(7),
            pause=lambda _: False,
        )

    return build


def history(sender: Sender) -> list[archive.Archived]:
    with sender.transaction() as tx:
        return archive.history(tx)


def test_the_payload_is_exactly_what_is_promised(make: Make) -> None:
    collector = Collector()
    assert make(collector).send() == Result("sent", 1)

    sent = json.loads(collector.bodies[0])
    envelope = sent.pop("envelope")
    assert sent == {
        "instanceId": "5db51f99-c6fb-4340-9c19-78adce58cc1b",
        "os": {"type": "Linux", "release": "6.1.0-18", "arch": "x64"},
        "env": {"python": "3.12.4", "flowforge": "0.9.0"},
        "platform": {"counts": {"users": 3, "teams": 2, "projects": 1}, "config": {"driver": "localfs"}},
    }
    assert sorted(envelope) == ["period", "plan", "secretHash", "seq"]
    assert (envelope["plan"], envelope["seq"], envelope["period"][:14]) == (1, 1, "2026-03-02T08-")


def test_off_is_off(make: Make) -> None:
    collector = Collector()
    sender = make(collector, OFF)
    assert sender.send() == Result("off")
    assert sender.send(even_if_recent=True) == Result("off")
    assert (collector.bodies, history(sender)) == ([], [])


def test_that_it_is_off_is_one_line_with_the_reason(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    sender = make(Collector())
    facts = [OFF, OFF, ON, OFF]
    sender.decide = lambda: decide("ping", facts[0])
    with caplog.at_level(logging.INFO, "flowforge_ui.telemetry.ping"):
        while facts:
            sender.send()
            facts.pop(0)
    off = "No core ping is sent: it is off. Nothing leaves this platform. Decided by flowforge.yml:3."
    assert [record.getMessage() for record in caplog.records] == [off, "The core ping is on again", off]


def test_the_next_ping_carries_the_receipt_and_the_next_number(make: Make, clock: FakeClock) -> None:
    collector = Collector()
    sender = make(collector)
    sender.send()
    clock.advance(hours=1)
    sender.send()

    envelope = json.loads(collector.bodies[1])["envelope"]
    assert (envelope["seq"], envelope["lastReceipt"]) == (2, RECEIPT)


def test_the_secret_stays_and_only_its_hash_travels(make: Make) -> None:
    collector = Collector()
    sender = make(collector)
    sender.send()
    with sender.transaction() as tx:
        secret = archive.secret(tx, PLAN.version)
    assert json.loads(collector.bodies[0])["envelope"]["secretHash"] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret.encode() not in collector.bodies[0]


def test_the_preview_is_what_is_sent(make: Make) -> None:
    collector = Collector()
    sender = make(collector)
    preview = json.loads(sender.preview().body)
    assert collector.bodies == []
    sender.send()
    sent = json.loads(collector.bodies[0])
    del preview["envelope"]["period"], sent["envelope"]["period"]
    assert preview == sent


def test_the_archive_holds_the_exact_bytes_answer_and_receipt(make: Make) -> None:
    collector = Collector()
    sender = make(collector)
    sender.send()

    (kept,) = history(sender)
    assert kept.body == collector.bodies[0]
    assert kept.sha256 == hashlib.sha256(collector.bodies[0]).hexdigest()
    assert (kept.outcome, kept.attempts, kept.status, kept.receipt) == ("sent", 1, 202, RECEIPT)
    assert kept.answer == json.dumps({"receipt": RECEIPT}).encode()


def test_the_archive_keeps_the_last_thirty(make: Make, clock: FakeClock) -> None:
    sender = make(Collector())
    for _ in range(35):
        sender.send()
        clock.advance(hours=1)
    assert [each.seq for each in history(sender)] == list(range(35, 5, -1))


def test_a_crash_loop_sends_no_storm(make: Make, clock: FakeClock) -> None:
    collector = Collector()
    outcomes = []
    for _ in range(20):  # each start is a new process
        outcomes.append(make(collector).send().outcome)
        clock.advance(seconds=90)
    assert outcomes.count("sent") == len(collector.bodies) == 1


def test_a_crash_loop_over_the_full_hour_sends_no_storm_either(make: Make, clock: FakeClock) -> None:
    clock.now = datetime(2026, 11, 2, 8, 59, 50, tzinfo=UTC)
    outcomes = []
    for seconds in (15, 3_584, 1, 0):
        outcomes.append(make(Collector()).send().outcome)
        clock.advance(seconds=seconds)
    assert outcomes == ["sent", "recent", "recent", "sent"]


def test_a_clock_that_was_years_ahead_silences_nobody(make: Make, clock: FakeClock) -> None:
    """What was written down meanwhile (the last ping, the next one, what the collector asked for) is no time at all."""
    wrong, right = datetime(2030, 1, 1, tzinfo=UTC), clock.now
    clock.now = wrong
    collector = Collector(*[Reply(503, b"", 30.0)] * 3, Reply(202, b"{}", None))
    loop = Loop(make(collector), lambda: True)
    loop._sender.pause = lambda _: False
    assert [each.outcome for each in ticks(clock, [loop], seconds=31)] == ["failed"]
    clock.now = right
    assert [each.outcome for each in ticks(clock, [loop], hours=25)] == ["sent"]


def ticks(clock: FakeClock, loops: list[Loop], *, every: float = 31, **duration: float) -> list[Result]:
    """What became of the pings that were due within that time."""
    found = [each.step() for each in loops]
    end = clock.now + timedelta(**duration)
    while clock.now < end:
        clock.advance(seconds=every)
        found += [each.step() for each in loops]
    return [each for each in found if each is not None]


def test_of_many_processes_one_sends_day_after_day(make: Make, clock: FakeClock) -> None:
    """Each draws a time of its own at its start; they agree on one."""
    moments: list[datetime] = []

    def note(_: bytes) -> Reply:
        moments.append(clock.now)
        return Reply(202, b"{}", None)

    loops = []
    for seed in range(4):
        sender = make(note)
        sender.chance = random.Random(seed)
        loops.append(Loop(sender, lambda: True))
    ticks(clock, loops, days=5)
    first, second, *rest = moments
    assert first == clock_start(clock, days=5) + timedelta(seconds=31)
    assert timedelta(0) < second - first <= timedelta(hours=24)
    assert len(rest) in {3, 4}
    for earlier, later in pairwise([second, *rest]):
        assert abs(later - earlier - timedelta(hours=24)) <= timedelta(seconds=31)

    # One that is started again draws again, and the others follow it.
    clock.advance(hours=2)
    moments.clear()
    again = make(note)
    again.chance = random.Random(99)
    ticks(clock, [Loop(again, lambda: True), *loops[1:]], days=3)
    assert len(moments) in {3, 4, 5}
    for earlier, later in pairwise(moments[1:]):
        assert abs(later - earlier - timedelta(hours=24)) <= timedelta(seconds=31)


def clock_start(clock: FakeClock, **ago: float) -> datetime:
    """When the test began, as its clock was moved since, in whole steps."""
    steps = -(-timedelta(**ago) // timedelta(seconds=31))
    return clock.now - steps * timedelta(seconds=31)


def test_a_database_that_is_away_for_a_moment_costs_no_day(make: Make, clock: FakeClock) -> None:
    collector = Collector()
    sender = make(collector)
    there = sender.transaction
    loop = Loop(sender, lambda: True)
    loop.step()
    clock.advance(seconds=31)

    def away() -> AbstractContextManager[Connection]:
        raise OperationalError("BEGIN", None, Exception("database is locked"))

    for _ in range(3):
        sender.transaction = away
        with pytest.raises(OperationalError):
            loop.step()
        assert loop.step() is None  # not each second
        clock.advance(minutes=1)
    sender.transaction = there
    assert loop.step() == Result("sent", 1)
    assert len(collector.bodies) == 1


def test_half_a_claim_is_none(make: Make, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes could not be kept: the number is not used up, and the hour has not begun."""
    collector = Collector()
    sender = make(collector)
    with monkeypatch.context() as broken:
        broken.setattr(archive, "keep", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sender.send()
    assert sender.send() == Result("sent", 1)


def test_a_later_ping_ends_the_tries_of_an_earlier_one(make: Make, clock: FakeClock) -> None:
    """An administrator sends while the loop pauses: a lower number after a higher one would look like a copy's."""
    taken = Collector()
    by_hand = make(taken)
    flaky = Collector(PostError("timeout"))
    sender = make(flaky)

    def meanwhile(_: float) -> bool:
        assert by_hand.send(even_if_recent=True) == Result("sent", 2)
        return False

    sender.pause = meanwhile
    assert sender.send() == Result("failed", 1, "timeout")
    assert (len(flaky.bodies), len(taken.bodies)) == (1, 1)
    clock.advance(hours=1)
    by_hand.send()
    assert json.loads(taken.bodies[1])["envelope"]["lastReceipt"] == RECEIPT


def test_of_two_under_way_the_later_one_s_receipt_stands(make: Make, clock: FakeClock) -> None:
    receipts = {1: "a" * 32, 2: "b" * 32}
    by_hand = make(Collector(Reply(202, json.dumps({"receipt": receipts[2]}).encode(), None)))

    def slow(_: bytes) -> Reply:
        by_hand.send(even_if_recent=True)
        return Reply(202, json.dumps({"receipt": receipts[1]}).encode(), None)

    assert make(slow).send() == Result("sent", 1)
    assert json.loads(by_hand.preview().body)["envelope"]["lastReceipt"] == receipts[2]


def test_who_was_asked_for_a_day_comes_when_it_is_over(make: Make, clock: FakeClock) -> None:
    """Not a day later, because its own time came a moment too early."""
    collector = Collector(Reply(202, b"{}", None), Reply(429, b"", 86_400.0), Reply(202, b"{}", None))
    moments: list[datetime] = []

    def note(body: bytes) -> Reply:
        moments.append(clock.now)
        return collector(body)

    ticks(clock, [Loop(make(note), lambda: True), Loop(make(note), lambda: True)], days=4)
    assert timedelta(hours=24) <= moments[2] - moments[1] <= timedelta(hours=24, seconds=31)


def test_of_many_processes_one_sends(make: Make) -> None:
    collector = Collector()
    senders = [make(collector) for _ in range(8)]
    senders[0].preview()  # the row is there, as it is after the first start
    start = threading.Barrier(8)
    outcomes: list[str] = []

    def go(sender: Sender) -> None:
        start.wait()
        outcomes.append(sender.send().outcome)

    threads = [threading.Thread(target=go, args=(each,)) for each in senders]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["recent"] * 7 + ["sent"]
    assert len(collector.bodies) == 1


@pytest.mark.parametrize(
    ("answers", "tries", "error"),
    [
        ([PostError("timeout")], 3, "timeout"),
        ([Reply(503, b"", None)], 3, "answered 503"),
        ([Reply(429, b"", 1.0)], 3, "answered 429"),
        ([PostError("unreachable"), Reply(500, b"", None), Reply(202, b"{}", None)], 3, None),
        ([Reply(302, b"", None)], 1, "redirected (302)"),
        ([Reply(400, b"", None)], 1, "answered 400"),
        ([Reply(413, b"", None)], 1, "answered 413"),
        ([Reply(200, b"", None)], 1, None),
    ],
)
def test_tries_end_when_another_could_not_help(
    make: Make, answers: list[Reply | PostError], tries: int, error: str | None
) -> None:
    collector = Collector(*answers)
    sender = make(collector)
    result = sender.send()

    assert result == Result("failed" if error else "sent", 1, error)
    assert len(collector.bodies) == tries
    assert len(set(collector.bodies)) == 1
    assert [(each.attempts, each.error) for each in history(sender)] == [(tries, error)]


def test_the_pauses_are_drawn_and_retry_after_is_honoured(make: Make) -> None:
    pauses: list[float] = []
    sender = make(Collector(Reply(503, b"", 17.0), PostError("timeout")))

    def note(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    sender.pause = note
    sender.send()
    assert pauses[0] == 17.0
    assert 0 <= pauses[1] <= 80


def test_who_is_asked_for_hours_waits_for_another_day(make: Make, clock: FakeClock) -> None:
    """No thread sleeps that long, and nothing is sent before that time is over."""
    pauses: list[float] = []
    collector = Collector(Reply(429, b"", 7_200.0), Reply(202, b"{}", None))
    sender = make(collector)

    def note(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    sender.pause = note
    assert sender.send() == Result("failed", 1, "answered 429")
    clock.advance(seconds=7_190)
    assert sender.send() == Result("recent")
    assert (len(collector.bodies), pauses) == (1, [])
    clock.advance(seconds=20)
    assert sender.send() == Result("sent", 2)


def test_switching_off_between_two_tries_ends_them(any_engine: Engine, make: Make) -> None:
    collector = Collector(PostError("timeout"))
    sender = make(collector)
    allowed = [ON, ON, OFF]
    sender.decide = lambda: decide("ping", allowed.pop(0))
    sender.pause = lambda _: False
    assert sender.send().outcome == "failed"
    assert len(collector.bodies) == 2


@pytest.mark.parametrize(
    "lie",
    [
        b"",
        b"null",
        b"[]",
        b'{"receipt": 5}',
        b'{"receipt": "../../etc"}',
        b'{"receipt": "' + b"A" * 32 + b'"}',
        b"\xff\x00",
    ],
)
def test_a_lying_collector_leaves_no_mark(make: Make, clock: FakeClock, lie: bytes) -> None:
    collector = Collector(Reply(202, lie, None))
    sender = make(collector)
    assert sender.send().outcome == "sent"
    clock.advance(hours=1)
    sender.send()
    assert "lastReceipt" not in json.loads(collector.bodies[1])["envelope"]


def test_a_value_outside_its_type_is_left_out_and_named(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    collector = Collector()
    sender = make(collector, gathered={**FACTS, "platform.counts.users": -1, "os.release": "weird\nthing"})
    with caplog.at_level(logging.WARNING):
        sender.send()
    sent = json.loads(collector.bodies[0])
    assert (sent["os"], sent["platform"]["counts"]) == ({"type": "Linux", "arch": "x64"}, {"teams": 2, "projects": 1})
    assert "os.release, platform.counts.users" in caplog.text


def test_a_new_field_waits_until_an_administrator_has_seen_it(make: Make, clock: FakeClock) -> None:
    collector = Collector()
    make(collector).send()
    newer = PingPlan(
        2,
        (*PLAN.fields, Field("platform.counts.flows", "int", "why", send=True, plan=2, column="flows")),
        PLAN.envelope,
    )
    sender = make(collector, plan=newer, gathered={**FACTS, "platform.counts.flows": 9})
    assert sender.preview().waiting == ("platform.counts.flows",)
    clock.advance(hours=1)
    sender.send()
    assert "flows" not in json.loads(collector.bodies[1])["platform"]["counts"]

    with sender.transaction() as tx:
        archive.accept_plan(tx, 2)
    clock.advance(hours=1)
    sender.send()
    assert json.loads(collector.bodies[2])["platform"]["counts"]["flows"] == 9


def test_failures_are_quiet_and_a_change_of_state_is_one_line(
    make: Make, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = PostError("timeout"), Reply(202, b"{}", None)
    sender = make(Collector(*[bad] * 6, good, good, bad))
    with caplog.at_level(logging.INFO, "flowforge_ui.telemetry.ping"):
        for _ in range(5):
            sender.send()
            clock.advance(hours=1)
    assert [record.getMessage() for record in caplog.records] == [
        "The core ping could not be delivered: timeout",
        "The core ping is taken again",
        "The core ping could not be delivered: timeout",
    ]


def test_over_a_real_socket(make: Make) -> None:
    with hostile(answer("202 Accepted", json.dumps({"receipt": RECEIPT}).encode())) as server:
        sender = make(partial(post, server.url, headers={"Content-Type": "application/json"}, total_s=2))
        assert sender.send() == Result("sent", 1)
    assert history(sender)[0].receipt == RECEIPT


@pytest.mark.parametrize(
    "behaviour", [raw(b""), flood(b"HTTP/1.1 200 OK\r\n\r\n"), answer("302 Found", b"", "Location: file:///etc/passwd")]
)
def test_the_platform_outlives_any_collector(make: Make, behaviour: Callable[..., None]) -> None:
    with hostile(behaviour) as server:
        sender = make(partial(post, server.url, headers={}, total_s=1))
        loop = Loop(sender, lambda: True)
        sender.pause = lambda _: False
        loop.step()
        clock = sender.clock
        assert isinstance(clock, FakeClock)
        clock.advance(seconds=31)
        result = loop.step()
    assert result is not None
    assert result.outcome in {"sent", "failed"}


def test_the_loop_sends_thirty_seconds_after_set_up(make: Make, clock: FakeClock) -> None:
    finished = [False]
    collector = Collector()
    loop = Loop(make(collector), lambda: finished[0])
    for _ in range(100):
        assert loop.step() is None
        clock.advance(seconds=10)
    finished[0] = True
    assert loop.step() is None
    clock.advance(seconds=29)
    assert loop.step() is None
    clock.advance(seconds=1)
    assert loop.step() == Result("sent", 1)
