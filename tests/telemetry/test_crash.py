"""Real processes, killed without warning: nothing acknowledged is lost, nothing is told twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine

from flowforge_ui.telemetry.event import utc_now
from tests.support.outbox import add_up, an_event, outbox_on, record
from tests.support.posthog_server import FakePostHog

ROOT = Path(__file__).parents[2]


def start(*arguments: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-m", "tests.support.outbox_process", *arguments]
    return subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("acknowledged", [50, 800])
def test_what_was_answered_200_is_there_after_a_kill(engine: Engine, tmp_path: Path, acknowledged: int) -> None:
    with start("intake", str(tmp_path / "flowforge.db")) as process:
        assert process.stdout is not None
        uuids = [process.stdout.readline().strip() for _ in range(acknowledged)]
        process.kill()
        uuids += process.stdout.read().split()
    outbox = outbox_on(engine, utc_now)
    stored = {recorded.event.uuid for recorded in outbox.recent(limit=100_000)}
    assert set(uuids) - stored == set()
    assert outbox.counts()["accepted"] == {"browser": len(stored)}
    assert add_up(outbox) == {"local": 0, "posthog": 0}


# Where the process dies, at the how-manieth time, and how many events PostHog is then told again, as the same.
KILLS = [("before", 1, 10), ("before", 4, 10), ("within", 2, 10), ("after", 3, 0)]


@pytest.mark.parametrize("kill", KILLS, ids=str)
def test_a_kill_between_telling_and_noting(
    engine: Engine, tmp_path: Path, posthog_server: FakePostHog, kill: tuple[str, int, int]
) -> None:
    where, nth, repeated = kill
    outbox = outbox_on(engine, utc_now)
    events = [an_event(number) for number in range(50)]
    record(outbox, events, ["posthog"])
    killed = (str(tmp_path / "flowforge.db"), posthog_server.url, posthog_server.key)
    with start("deliver", *killed, where, str(nth)) as process:
        pass
    assert process.returncode == -9
    with start("deliver", *killed, "nowhere", "0") as process:
        pass
    assert process.returncode == 0
    told = [event["uuid"] for event in posthog_server.taken]
    assert list(dict.fromkeys(told)) == [event.uuid for event in events]
    assert len(told) == 50 + repeated
    seen: dict[str, dict[str, object]] = {}
    for event in posthog_server.taken:
        assert seen.setdefault(event["uuid"], event) == event
    assert outbox.counts()["delivered"] == {"posthog": 50}
    assert add_up(outbox) == {"local": 0, "posthog": 0}
