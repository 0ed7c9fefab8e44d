"""The numbers add up to what was sent, whatever happens; and whatever is sent, the answer is clear."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

import flowforge_ui
from flowforge_ui.database import migrate, open_engine
from flowforge_ui.telemetry.delivery import Delivery
from flowforge_ui.telemetry.event import Event, new_uuid
from flowforge_ui.telemetry.outbox import Outbox
from flowforge_ui.telemetry.outbox_tables import SINKS, outbox, pending
from flowforge_ui.telemetry.plan import Plan
from flowforge_ui.telemetry.posthog import PostHogSink
from flowforge_ui.telemetry.sinks import MemorySink, Sink
from flowforge_ui.telemetry.values import uuid_text
from tests.conftest import FakeClock
from tests.support.capture import ALICE, KEY, Endpoint, endpoint, ticket, view
from tests.support.outbox import add_up, an_event, record
from tests.support.posthog_server import FakePostHog, Mode

MODES: list[Mode] = ["ok", "ok", "garbage", "half", "swallow", "redirect"]


KINDS = ["good", "good", "alice", "repeat", "unknown", "old", "forged", "nonsense"]


class Watched:
    """Notes what a sink is given though it waits no more; when it fails, `meanwhile` happens before the next try."""

    def __init__(self, sink: Sink, outbox: Outbox, meanwhile: Callable[[], None]) -> None:
        self.sink, self.outbox, self.meanwhile = sink, outbox, meanwhile
        self.name, self.batch, self.close = sink.name, sink.batch, sink.close
        self.too_late: set[str] = set()

    def deliver(self, events: Sequence[Event]) -> None:
        given = {event.uuid for event in events}
        waits = select(outbox.c.uuid).join(pending, pending.c.outbox_id == outbox.c.id)
        with self.outbox.reading() as tx:
            waiting = tx.scalars(waits.where(pending.c.sink == SINKS[self.name], outbox.c.uuid.in_(given)))
            self.too_late |= given - set(waiting)
        try:
            self.sink.deliver(events)
        except Exception:
            self.meanwhile()
            raise


class World:
    """Requests good, repeated and hostile; a PostHog that fails in every way; switches turned; people opting out."""

    def __init__(self, site: Endpoint, posthog: FakePostHog, clock: FakeClock, chance: random.Random) -> None:
        self.site, self.posthog, self.clock, self.chance = site, posthog, clock, chance
        self.local = MemorySink("local")
        self.sink = PostHogSink(posthog.key, posthog.url, timeout=2)
        self.sink.batch = 25
        self.watched = [Watched(sink, site.outbox, self.meanwhile) for sink in (self.sink, self.local)]
        self.deliveries = [Delivery(site.outbox, sink, clock, uniform=chance.uniform) for sink in self.watched]
        self.sent = self.numbers = 0

    def request(self) -> None:
        events = [self._event(self.chance.choice(KINDS)) for _ in range(self.chance.randint(0, 12))]
        assert self.site.status({"api_key": KEY, "batch": events}) == 200
        self.sent += len(events)

    def act(self) -> None:
        self.numbers += 1
        record(self.site.outbox, [an_event(100_000 + self.numbers)])
        self.sent += 1

    def trouble(self) -> None:
        self.posthog.mode = self.chance.choice(MODES)
        self.posthog.status = self.chance.choice([200, 200, 200, 503, 429, 401, 500])
        self.posthog.poison = {view(self.chance.randint(1, self.numbers + 1))["uuid"] for _ in range(3)}

    def deliver(self) -> None:
        if not self.dropped(20):
            for delivery in self.deliveries:
                delivery.step()
        self.clock.advance(seconds=self.chance.uniform(0, 30))

    def meanwhile(self) -> None:
        self.dropped(8)

    def dropped(self, seldom: int) -> bool:
        """A switch is turned, or somebody opts out, each once in so many times."""
        match self.chance.randint(0, seldom):
            case 0:
                self.site.outbox.abandon("posthog")
            case 1:
                with self.site.outbox.transaction() as tx:
                    self.site.outbox.forget(tx, ALICE)
            case _:
                return False
        return True

    def drain(self) -> None:
        self.posthog.mode, self.posthog.status, self.posthog.poison = "ok", 200, set()
        while any(delivery.health().pending for delivery in self.deliveries):
            for delivery in self.deliveries:
                self.clock.advance(seconds=max(delivery.step(), 1))
        self.sink.close()

    def _event(self, kind: str) -> Any:
        self.numbers += 1
        if kind == "nonsense":
            return None
        number = self.chance.randint(1, self.numbers) if kind == "repeat" else self.numbers
        who = {"distinct_id": ALICE, "ticket": ticket()} if kind == "alice" else {}
        event = view(number, source="router", **who)
        if kind == "old":
            event["timestamp"] = "2020-01-01T00:00:00Z"
        if kind == "unknown":
            event["event"] = "nothing of ours"
        if kind == "forged":
            event["properties"]["distinct_id"] = ALICE
        return event


@pytest.fixture
def world(
    request: pytest.FixtureRequest, engine: Engine, plan: Plan, clock: FakeClock, posthog_server: FakePostHog
) -> World:
    return World(endpoint(engine, plan, clock), posthog_server, clock, random.Random(request.param))


@pytest.mark.parametrize("world", range(4), indirect=True)
def test_under_random_faults_every_event_is_accounted_for(world: World) -> None:
    site, posthog = world.site, world.posthog
    for _ in range(60):
        world.request()
        world.act()
        world.trouble()
        world.deliver()
        counts = site.counts
        assert sum(counts["accepted"].values()) + sum(counts.get("dropped", {}).values()) == world.sent
        assert add_up(site.outbox) == {"local": 0, "posthog": 0}
    world.drain()
    counts = site.outbox.counts()
    accepted = sum(counts["accepted"].values())
    assert counts["addressed"] == {"local": accepted, "posthog": accepted}
    assert counts["delivered"]["local"] + counts.get("abandoned", {}).get("local", 0) == accepted
    assert len(world.local.events) == counts["delivered"]["local"]
    assert [sink.too_late for sink in world.watched] == [set(), set()]
    # PostHog may have more: taken, but its word was lost, and then the switch was turned.
    fates = {recorded.event.uuid: recorded.sinks["posthog"] for recorded in site.outbox.recent(limit=5000)}
    assert {uuid for uuid, fate in fates.items() if fate == "delivered"} <= posthog.events.keys()
    assert {uuid for uuid, fate in fates.items() if fate == "failed"} & posthog.events.keys() == set()


# Anything at all


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Endpoint:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('fuzz') / 'flowforge.db'}")
    migrate(engine)
    return endpoint(engine, Plan.load(Path(flowforge_ui.__file__).parent / "plan"), FakeClock())


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.just(KEY) | st.just(ALICE)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
)
OUTER = ["event", "properties", "uuid", "timestamp", "offset", "sent_at", "distinct_id", "token", "api_key", "batch"]
some_event = st.dictionaries(st.sampled_from(OUTER), anything)
bodies = st.binary(max_size=200) | anything | some_event | st.lists(some_event, max_size=4)
INNER = ["route", "nav_type", "view_id", "load_ms", "view_index", "team", "source", "role", "$current_url", "$referrer"]
INNER += ["$browser", "$os_version", "$screen_width", "title", "ticket", "distinct_id", "$ip", "$set", "$groups"]


def count(site: Endpoint) -> int:
    return sum(sum(names.values()) for names in site.counts.values())


@settings(max_examples=80)
@given(bodies, st.booleans(), st.sampled_from(["", "gzip", "deflate"]), st.sampled_from(["", "gzip-js", "base64"]))
def test_whatever_is_sent_the_answer_is_clear(
    site: Endpoint, body: Any, pack: bool, encoding: str, compression: str
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    raw = gzip.compress(raw) if pack else raw
    before = count(site)
    answer = site.post(raw, headers={"content-encoding": encoding}, query={"compression": compression, "sent_at": "x"})
    assert answer.status in {200, 400, 401, 413}
    assert isinstance(json.loads(answer.body), dict)
    assert answer.status == 200 or count(site) == before


@settings(max_examples=80)
@given(st.dictionaries(st.sampled_from(INNER), anything), some_event, anything)
def test_an_event_with_anything_in_it_costs_only_itself(
    site: Endpoint, inner: dict[str, Any], outer: dict[str, Any], neighbour: Any
) -> None:
    """Between two good ones; whatever it is, it is accepted or dropped, and nothing of it that is not in the plan."""
    good = [{**view(), "uuid": new_uuid()} for _ in range(2)]
    ill = {**view(), "uuid": new_uuid()}
    ill["properties"].update(inner)
    ill.update({name: value for name, value in outer.items() if name not in {"token", "api_key", "batch", "event"}})
    others = [] if isinstance(neighbour, dict) else [neighbour]
    before = count(site)
    body = {"api_key": KEY, "batch": [good[0], ill, *others, good[1]]}
    assert site.status(body) == 200
    assert count(site) == before + 3 + len(others)
    newest = [recorded.event for recorded in site.outbox.recent(limit=3)]
    assert {event["uuid"] for event in good} <= {event.uuid for event in newest}
    plan = site.capture.plan
    allowed = {*plan.events["$pageview"].properties, *plan.common, *plan.sdk}
    for event in newest:
        assert event.name == "$pageview"
        assert event.properties.keys() <= allowed
        assert event.distinct_id == ALICE or uuid_text(event.distinct_id)
        assert event.origin == "browser"
    assert add_up(site.outbox) == {"local": 0, "posthog": 0}
