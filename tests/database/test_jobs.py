from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, select

from flowforge_ui.database import migrate, open_engine, reading
from flowforge_ui.jobs import Job, Jobs, leases

if TYPE_CHECKING:
    from tests.conftest import FakeClock

WORKER = """
import sys
from datetime import UTC, datetime
from flowforge_ui.database import open_engine
from flowforge_ui.jobs import Job, Jobs
now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
engine = open_engine(sys.argv[1])
jobs = Jobs(engine, lambda: now, [Job(f"job {n}", lambda n=n: print(n), first_after_seconds=0) for n in range(20)])
sys.stdin.readline()
jobs.step()
"""


@pytest.fixture
def sqlite_url(engine: Engine) -> str:
    return engine.url.render_as_string()


@pytest.fixture
def postgresql_url(postgres_url: str) -> str:
    engine = open_engine(postgres_url)
    migrate(engine)
    engine.dispose()
    return postgres_url


def error_of(engine: Engine, name: str) -> object:
    with reading(engine) as tx:
        return tx.execute(select(leases.c.error).where(leases.c.name == name)).scalar_one_or_none()


def test_a_job_runs_when_it_is_due_and_then_again(any_engine: Engine, clock: FakeClock) -> None:
    runs: list[datetime] = []
    jobs = Jobs(
        any_engine, clock, [Job("tidy", lambda: runs.append(clock()), every_seconds=100, first_after_seconds=30)]
    )
    found = []
    for seconds in (0, 29, 1, 99, 1, 100):
        clock.advance(seconds=seconds)
        found.append(jobs.step())
    assert found == [[], [], ["tidy"], [], ["tidy"], ["tidy"]]
    assert [(moment - runs[0]).total_seconds() for moment in runs] == [0, 100, 200]


def test_a_restart_runs_nothing_sooner(any_engine: Engine, clock: FakeClock) -> None:
    runs: list[int] = []

    def start_again() -> list[str]:
        return Jobs(any_engine, clock, [Job("tidy", lambda: runs.append(1), 100, first_after_seconds=30)]).step()

    assert start_again() == []
    clock.advance(seconds=20)
    assert start_again() == []
    clock.advance(seconds=10)
    assert [start_again(), start_again(), start_again()] == [["tidy"], [], []]


def test_a_schedule_decides(any_engine: Engine, clock: FakeClock) -> None:
    def at_noon(now: datetime) -> datetime:
        noon = now.replace(hour=12, minute=0)
        return noon if noon > now else noon + timedelta(days=1)

    jobs = Jobs(any_engine, clock, [Job("noon", lambda: None, schedule=at_noon, first_after_seconds=0)])
    assert jobs.step() == ["noon"]
    clock.now = datetime(2026, 3, 2, 11, 59, tzinfo=UTC)
    assert jobs.step() == []
    clock.now = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert [jobs.step(), jobs.step()] == [["noon"], []]


def test_an_error_is_logged_kept_and_ends_nothing(
    any_engine: Engine, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    def bad() -> None:
        raise LookupError("nothing there")

    jobs = Jobs(any_engine, clock, [Job("bad", bad, every_seconds=10, first_after_seconds=0)])
    assert jobs.step() == ["bad"]
    assert [record.getMessage() for record in caplog.records] == ["Job bad failed"]
    assert error_of(any_engine, "bad") == "LookupError: nothing there"
    clock.advance(seconds=10)
    assert jobs.step() == ["bad"]


def test_while_one_holds_the_lease_nobody_else_runs_it(any_engine: Engine, clock: FakeClock) -> None:
    other_found: list[list[str]] = []
    other = Jobs(any_engine, clock, [Job("slow", lambda: None, first_after_seconds=0, lease_seconds=60)])

    def slow() -> None:
        other_found.append(other.step())
        clock.advance(seconds=59)
        other_found.append(other.step())

    holder = Jobs(any_engine, clock, [Job("slow", slow, first_after_seconds=0, lease_seconds=60)])
    assert holder.step() == ["slow"]
    assert other_found == [[], []]


def test_a_lease_left_behind_by_a_crash_runs_out(any_engine: Engine, clock: FakeClock) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        Jobs(any_engine, clock, [Job("tidy", die, first_after_seconds=0, lease_seconds=60)]).step()
    heir = Jobs(any_engine, clock, [Job("tidy", lambda: None, first_after_seconds=0, lease_seconds=60)])
    clock.advance(seconds=59)
    assert heir.step() == []
    clock.advance(seconds=1)
    assert heir.step() == ["tidy"]


def test_who_lost_the_lease_does_not_give_back_another_ones(any_engine: Engine, clock: FakeClock) -> None:
    heir = Jobs(any_engine, clock, [Job("tidy", lambda: None, 100, None, 0, 60)])
    found: list[list[str]] = []

    def too_slow() -> None:
        clock.advance(seconds=61)
        found.append(heir.step())  # runs it, and is due again 100 s after its own end
        clock.advance(seconds=50)

    assert Jobs(any_engine, clock, [Job("tidy", too_slow, 10, None, 0, 60)]).step() == ["tidy"]
    clock.advance(seconds=49)
    found.append(heir.step())
    clock.advance(seconds=1)
    found.append(heir.step())
    assert found == [["tidy"], [], ["tidy"]]


def test_a_clock_put_back_does_not_stop_a_job(any_engine: Engine, clock: FakeClock) -> None:
    jobs = Jobs(any_engine, clock, [Job("tidy", lambda: None, every_seconds=3600, first_after_seconds=0)])
    clock.advance(days=400)
    assert jobs.step() == ["tidy"]
    clock.advance(days=-400)
    assert [jobs.step(), jobs.step()] == [["tidy"], []]


def test_threads_run_jobs_and_stop_joins(any_engine: Engine, clock: FakeClock) -> None:
    ran = {"quick": threading.Event(), "slow": threading.Event()}
    go_on = threading.Event()

    def slow() -> None:
        ran["slow"].set()
        go_on.wait()

    table = [
        Job("slow", slow, first_after_seconds=0),
        Job("quick", ran["quick"].set, every_seconds=100, first_after_seconds=0),
    ]
    jobs = Jobs(any_engine, clock, table)
    jobs.start()
    assert ran["slow"].wait(20)
    assert ran["quick"].wait(20)  # though the slow one still runs
    ran["quick"].clear()
    clock.advance(seconds=100)
    jobs.wake()
    assert ran["quick"].wait(20)
    go_on.set()
    jobs.stop()
    assert [thread for thread in threading.enumerate() if thread.name.startswith("job ")] == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_many_processes_one_runs_each_job(kind: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    command = [sys.executable, "-c", WORKER, url]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [process.communicate("go\n")[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(int(line) for answer in answers for line in answer.split()) == list(range(20))
