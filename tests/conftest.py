"""One cast plays every test: alice owns the team "Plant", bob is a member, charlie a stranger, root the administrator.

Databases are real: SQLite in a file, and PostgreSQL from a throw-away cluster where its programs are installed.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, settings
from sqlalchemy import URL, Engine, create_engine, inspect, make_url, text

import flowforge_ui
from flowforge_ui.database import MIGRATIONS, after_commit, migrate, open_engine, reading, transaction
from flowforge_ui.platform import installation, invitations, setup, teams, users
from flowforge_ui.platform.actor import Actor
from flowforge_ui.platform.drivers.localfs import LocalFs
from flowforge_ui.platform.house import Platform
from flowforge_ui.platform.passwords import Passwords
from flowforge_ui.platform.teams import Team
from flowforge_ui.telemetry.identity import Pseudonyms
from flowforge_ui.telemetry.outbox import Outbox
from flowforge_ui.telemetry.plan import Plan
from flowforge_ui.telemetry.recorder import OutboxRecorder
from tests.support.ports import free_port

# A machine that is busy is no fault of the code: no test is judged by its time.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

CHEAP_PASSWORDS = Passwords(memory_kib=8, rounds=1)
PASSWORD = "correct horse battery"  # everybody's in the cast


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes name no test: packed ones may hold the time, and the processes of a run have to find the same tests."""
    return argname if isinstance(val, bytes) else None


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> datetime:
        """Move on by `timedelta`'s arguments."""
        self.now += timedelta(**duration)
        return self.now


@dataclass(frozen=True)
class Cast:
    """Actors as a signed-in request has them; `password` is everybody's."""

    alice: Actor
    bob: Actor
    charlie: Actor
    root: Actor
    plant: Team
    password: str = PASSWORD


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "flowforge.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@contextmanager
def _sqlite(template: Path, path: Path) -> Iterator[Engine]:
    shutil.copy(template, path)
    engine = open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def engine(sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """A migrated SQLite database of this test's own, in `tmp_path / "flowforge.db"`."""
    with _sqlite(sqlite_template, tmp_path / "flowforge.db") as engine:
        yield engine


# -- PostgreSQL


class Cluster:
    """A PostgreSQL server of this test process's own, at a port of this machine that only it knows."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._home, self._port = Path(tempfile.mkdtemp(prefix="ffpg-")), free_port()
        self._names = (f"test_{number}" for number in itertools.count())
        self._migrated: list[str] = []
        self._user: str | None = None
        if os.getuid() == 0:  # as which PostgreSQL refuses to run
            self._user = "postgres"
            shutil.chown(self._home, "postgres", "postgres")

    def start(self) -> None:
        data = self._home / "data"
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        options = f"-k {self._home} -p {self._port} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=100"
        self._run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", self._home / "log", "-o", options, "start")
        template = open_engine(self.create("migrated"))
        migrate(template)
        template.dispose()

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._home / "data", "-m", "immediate", "stop")
        shutil.rmtree(self._home)

    def create(self, name: str | None = None, template: str = "template0") -> str:
        """The URL of a new database."""
        name = name or next(self._names)
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._url(name).render_as_string(hide_password=False)

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """The URL of a migrated, empty database; emptied afterwards and used again, which is quicker than a new one."""
        url = self._migrated.pop() if self._migrated else self.create(template="migrated")
        yield url
        engine = open_engine(url)
        with transaction(engine) as tx:
            tx.execute(text("SET LOCAL session_replication_role = replica"))  # foreign keys ask for no order
            tables = [name for name in inspect(tx).get_table_names() if name != "alembic_version"]
            tx.execute(text(";".join(f"DELETE FROM {name}" for name in tables)))
            head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
            tx.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})
        engine.dispose()
        self._migrated.append(url)

    def drop(self, url: str) -> None:
        self._sql(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _url(self, name: str) -> URL:
        return URL.create("postgresql+psycopg", "postgres", host="127.0.0.1", port=self._port, database=name)

    def _sql(self, statement: str) -> None:
        engine = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def _run(self, program: str, *arguments: object) -> None:
        group = pwd.getpwnam(self._user).pw_gid if self._user else None
        done = subprocess.run(
            [str(self._programs / program), *map(str, arguments)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            user=self._user,
            group=group,
            extra_groups=[] if self._user else None,
        )
        assert done.returncode == 0, done.stdout


def _postgresql_programs() -> Path | None:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    places = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    return next((place for place in [*reversed(versions), *places] if (place / "pg_ctl").exists()), None)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """Started by the first test that asks for it, one a test process."""
    programs = _postgresql_programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs (initdb, pg_ctl) are not installed")
    cluster = Cluster(programs)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture
def postgres_url(postgres_cluster: Cluster) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own."""
    url = postgres_cluster.create()
    yield url
    postgres_cluster.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def any_engine(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path) -> Iterator[Engine]:
    """A migrated database of this test's own: the test runs once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        with _sqlite(sqlite_template, tmp_path / "flowforge.db") as engine:
            yield engine
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    with cluster.migrated() as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


# -- the platform and its people


@pytest.fixture
def passwords() -> Passwords:
    """argon2id at the least cost there is."""
    return CHEAP_PASSWORDS


def build_platform(engine: Engine, home: Path, clock: FakeClock) -> Platform:
    """The platform on that database, recording into its outbox for the local store; set-up has not begun."""
    here = installation.ensure(engine, clock)
    outbox = Outbox(partial(transaction, engine), partial(reading, engine), clock)
    recorder = OutboxRecorder(
        Plan.load(Path(flowforge_ui.__file__).parent / "plan"),
        outbox,
        lambda: ("local",),
        app_version=flowforge_ui.__version__,
        clock=clock,
        after_commit=after_commit,
    )
    return Platform.build(
        engine=engine,
        clock=clock,
        recorder=recorder,
        forget=outbox.forget,
        pseudonyms=Pseudonyms(here.secret),
        driver=LocalFs(home / "projects"),
        installation=here,
        passwords=CHEAP_PASSWORDS,
    )


def add_cast(platform: Platform) -> Cast:
    """Everybody comes in as they would: root by the set-up, the others by root, bob into the team by invitation."""
    ledger = platform.ledger
    who = {name: _candidate(name) for name in ("root", "alice", "bob", "charlie")}
    with transaction(platform.engine) as tx:
        root = setup.create_administrator(tx, ledger, who["root"]).actor(platform.pseudonyms)
        setup.choose(tx, ledger, root, telemetry=True, local_analytics=True)
        setup.finish(tx, ledger, root, telemetry=True, local_analytics=True)
        alice, bob, charlie = (
            users.add(tx, ledger, root, who[name], "user").actor(platform.pseudonyms)
            for name in ("alice", "bob", "charlie")
        )
        plant = teams.create(tx, ledger, alice, "Plant")
        invitation = invitations.send(tx, ledger, alice, plant.id, username="bob", role="member")
        invitations.accept(tx, ledger, bob, invitation.id)
        plant = teams.get(tx, alice, plant.id)
    return Cast(alice, bob, charlie, root, plant)


def _candidate(name: str) -> users.Candidate:
    return users.candidate(
        CHEAP_PASSWORDS, username=name, password=PASSWORD, name=name.title(), email=f"{name}@plant.example"
    )


@pytest.fixture
def platform(engine: Engine, tmp_path: Path, clock: FakeClock) -> Platform:
    """The platform before its set-up."""
    return build_platform(engine, tmp_path, clock)


@pytest.fixture
def cast(platform: Platform) -> Cast:
    """The platform's people, set-up finished."""
    return add_cast(platform)
