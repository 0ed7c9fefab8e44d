"""What runs beside the requests: from an act to the local store and to PostHog, switched while it runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from flowforge_ui.analytics.store import open_store
from flowforge_ui.factory import Runtime, build
from flowforge_ui.factory.leases import LASTS, Lease
from flowforge_ui.factory.recording import OptOuts
from flowforge_ui.telemetry.event import Event, new_uuid
from tests.conftest import CHEAP_PASSWORDS, Cast, FakeClock
from tests.support.posthog_server import FakePostHog
from tests.web.conftest import LOCAL_ON, SILENT, Browser, Build, settings_of


def eventually(probe: Callable[[], Any], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if probe():
            return
        time.sleep(0.02)
    raise AssertionError("it does not happen")


@pytest.fixture
def posthog() -> Iterator[FakePostHog]:
    with FakePostHog() as server:
        yield server


def both(posthog: FakePostHog, **more: Any) -> str:
    facts = {"apikey": posthog.key, "apiurl": posthog.url, "capture_pageview": False}
    frontend = {"posthog": facts, "local": {"enabled": True}, **more}
    # The core ping of these tests goes nowhere.
    return json.dumps({"telemetry": {"url": "http://127.0.0.1:9", "frontend": frontend}})


def in_store(runtime: Runtime) -> dict[str, int]:
    rows = runtime.house.analytics().ask("presence", {})
    return {"events": rows[0]["events"]}


def test_an_act_arrives_at_both_sinks_once(make: Build, posthog: FakePostHog, cast: Cast) -> None:
    runtime = make(both(posthog))
    runtime.start()
    browser = Browser(runtime)
    browser.login("alice")
    browser.post("/api/v1/teams", {"name": "Office"})
    eventually(lambda: len(posthog.events) == 2 and in_store(runtime) == {"events": 2})
    assert posthog.names == ["logged in", "team created"]
    assert {event["distinct_id"] for event in posthog.taken} == {cast.alice.subject.distinct_id}
    everywhere = {"local": 2, "posthog": 2}
    eventually(lambda: runtime.house.outbox.counts().get("delivered") == everywhere)
    assert runtime.house.outbox.counts()["addressed"] == everywhere
    assert [delivery.health().sink for delivery in runtime.deliveries] == ["local", "posthog"]


def test_what_waits_for_a_sink_that_is_off_is_dropped_at_the_start(make: Build, posthog: FakePostHog) -> None:
    runtime = make(both(posthog, local={"enabled": False}))
    Browser(runtime).login("alice")
    assert runtime.house.outbox.backlog("posthog").pending == 1
    folder = runtime.house.settings.home.parent
    later = build(settings_of(folder, SILENT), clock=runtime.house.platform.clock, passwords=CHEAP_PASSWORDS)
    later.start()
    assert later.house.outbox.backlog("posthog").pending == 0
    assert later.house.outbox.counts()["abandoned"] == {"posthog": 1}
    later.stop()
    assert posthog.requests == 0


def test_local_analytics_begins_when_it_is_switched_on(make: Build) -> None:
    runtime = make("telemetry: {enabled: false}")
    root = Browser(runtime)
    root.login("root")
    root.send("PATCH", "/api/v1/settings", {"local_analytics": False})
    runtime.start()
    assert not (runtime.house.settings.home / "analytics.duckdb").exists()
    root.send("PATCH", "/api/v1/settings", {"local_analytics": True})
    eventually(lambda: runtime.house.outbox.counts().get("delivered") == {"local": 1})
    assert in_store(runtime) == {"events": 1}


def test_a_store_that_is_held_by_another_stops_nobody(make: Build, caplog: pytest.LogCaptureFixture) -> None:
    import subprocess
    import sys

    runtime = make(LOCAL_ON)
    path = runtime.house.settings.home / "analytics.duckdb"
    program = (
        "import sys; from flowforge_ui.analytics.store import open_store; s = open_store(sys.argv[1]);"
        "print('held', flush=True); sys.stdin.read(); s.close()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, f"duckdb:///{path}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    runtime.start()
    assert Browser(runtime).login("alice").status_code == 200
    eventually(lambda: runtime.house.outbox.sink_record("local").last_error)
    assert "Events are kept until it can be opened" in caplog.text
    assert runtime.house.outbox.backlog("local").pending == 1
    holder.stdin.close()
    assert holder.wait(20) == 0
    holder.stdout.close()
    assert isinstance(runtime.house.platform.clock, FakeClock)
    runtime.house.platform.clock.advance(minutes=10)
    eventually(lambda: runtime.house.outbox.backlog("local").pending == 0)


def test_stopping_lets_go_of_everything(make: Build) -> None:
    import threading

    before = set(threading.enumerate())
    runtime = make(LOCAL_ON)
    runtime.start()
    Browser(runtime).login("alice")
    runtime.stop()
    assert set(threading.enumerate()) == before
    store = open_store(runtime.house.settings.telemetry.frontend.local.url)  # nobody holds it any more
    store.close()


# -- the lease


def test_one_of_two_holds_it_until_it_lets_go(any_engine: Engine, clock: FakeClock) -> None:
    one, other = (Lease(any_engine, clock, "delivery local") for _ in range(2))
    assert (one.held(), other.held()) == (True, False)
    clock.advance(seconds=25)
    assert (one.held(), other.held()) == (True, False)
    one.release()
    assert other.held()
    assert not one.held()


def test_who_dies_leaves_it_to_the_others(any_engine: Engine, clock: FakeClock) -> None:
    dead, other = (Lease(any_engine, clock, "delivery local") for _ in range(2))
    assert dead.held()
    clock.now += LASTS - timedelta(seconds=1)
    assert not other.held()
    clock.advance(seconds=1)
    assert other.held()
    assert not dead.held()  # it was only asleep, and asks before it goes on


def test_leases_of_different_names_do_not_meet(any_engine: Engine, clock: FakeClock) -> None:
    assert Lease(any_engine, clock, "one").held()
    assert Lease(any_engine, clock, "two").held()


def test_the_whole_application_on_postgresql(
    tmp_path: Any, postgres_url: str, dist: Any, clock: FakeClock, posthog: FakePostHog
) -> None:
    settings = settings_of(tmp_path, both(posthog))
    settings = replace(settings, database=replace(settings.database, url=postgres_url))
    runtime = build(settings, clock=clock, passwords=CHEAP_PASSWORDS, bundle=dist)
    runtime.start()
    browser = Browser(runtime)
    assert browser.post("/setup/admin", {"username": "root", "password": "correct horse"}).status_code == 201
    assert browser.post("/setup/options", {"telemetry": True, "local_analytics": True}).status_code == 200
    assert browser.post("/setup/finish").status_code == 200
    assert browser.post("/api/v1/teams", {"name": "Office"}).status_code == 201
    assert browser.get("/api/v1/admin/overview").get_json()["database"] == "PostgreSQL"
    assert browser.get("/readyz").status_code == 200
    eventually(lambda: posthog.names == ["user registered", "set-up finished", "team created"])
    eventually(lambda: in_store(runtime) == {"events": 3})
    runtime.stop()


def test_what_another_process_took_in_after_an_opt_out_is_told_of_to_nobody(
    make: Build, posthog: FakePostHog, cast: Cast
) -> None:
    runtime = make(both(posthog))
    platform, who = runtime.house.platform, cast.alice.subject.distinct_id
    deaf = OptOuts(platform.engine, platform.pseudonyms)  # the other process's, which looks once a second
    assert not deaf.opted_out(who)
    alice = Browser(runtime)
    alice.login("alice")
    alice.send("PUT", "/api/v1/user/privacy", {"opt_out": True})
    assert not deaf.opted_out(who)
    with runtime.house.outbox.transaction() as tx:
        event = Event(new_uuid(), "logged out", who, 0, {}, "server", 0)
        runtime.house.outbox.record(tx, event, ["local", "posthog"])
    runtime.start()
    eventually(lambda: not any(runtime.house.outbox.backlog(sink).pending for sink in ("local", "posthog")))
    assert runtime.house.outbox.counts()["abandoned"] == {"local": 2, "posthog": 2}
    assert posthog.requests == 0
