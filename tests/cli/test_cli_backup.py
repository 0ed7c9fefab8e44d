"""`flowforge backup`: one file that holds one state of everything, while others write."""

import hashlib
import json
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flowforge_ui import __version__
from flowforge_ui.analytics.store import open_store
from flowforge_ui.cli import main
from flowforge_ui.database import migrate, open_engine
from flowforge_ui.platform.drivers.localfs import LocalFs
from flowforge_ui.telemetry.event import Event

Run = Callable[..., Result]
NOW = 1_796_000_000_000  # milliseconds since the epoch


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a migrated database, one flows file, one event and a collector's key."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "var"
    engine = open_engine(f"sqlite:///{home}/flowforge.db")
    migrate(engine)
    engine.dispose()
    LocalFs(home / "projects").write("p1", b"[]")
    with closing(open_store(f"duckdb:///{home}/analytics.duckdb")) as store:
        uuid = "0197f000-0000-7000-8000-000000000001"
        store.append([Event(uuid, "$pageview", "u_alice", NOW, {"route": "home"}, "browser", NOW)])
    (home / "collector.key").write_bytes(b"k" * 32)
    return home


@pytest.fixture
def run(home: Path) -> Run:
    def run(*arguments: str, **environ: str) -> Result:
        return CliRunner(env=environ).invoke(main, ["backup", *arguments])

    return run


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar if one.isfile()}  # type: ignore[union-attr]


@contextmanager
def database(data: bytes, place: Path) -> Iterator[sqlite3.Connection]:
    place.write_bytes(data)
    with closing(sqlite3.connect(place)) as connection:
        yield connection


def test_everything_is_in_one_private_file(run: Run, tmp_path: Path) -> None:
    result = run("state.tar.gz", "--json")
    assert result.exit_code == 0, result.output
    file = tmp_path / "state.tar.gz"
    assert json.loads(result.stdout) == {
        "file": "state.tar.gz",
        "bytes": file.stat().st_size,
        "parts": ["analytics.duckdb", "flowforge.db", "projects"],
        "left_out": [{"what": "collector.key", "why": "not asked for (--collector-key); keep it apart from the pings"}],
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    held = members(file)
    assert sorted(held) == ["analytics.duckdb", "backup.json", "flowforge.db", "projects/p1/flows.json"]
    manifest = json.loads(held["backup.json"])
    assert manifest["version"] == __version__
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in held.items() if name != "backup.json"}
    assert manifest["sha256"] == sums
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.tar.gz", "var"]


def test_what_is_unpacked_works(run: Run, tmp_path: Path) -> None:
    assert run("state.tar.gz").exit_code == 0
    restored = tmp_path / "restored"
    with tarfile.open(tmp_path / "state.tar.gz") as tar:
        tar.extractall(restored, filter="data")
    engine = open_engine(f"sqlite:///{restored}/flowforge.db")
    migrate(engine)
    engine.dispose()
    with closing(open_store(f"duckdb:///{restored}/analytics.duckdb")) as store:
        latest = store.latest()
    assert latest is not None
    assert latest.timestamp() * 1000 == NOW
    assert LocalFs(restored / "projects").read("p1") == b"[]"


def test_the_copy_is_one_state_while_others_write(run: Run, home: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home / "flowforge.db", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE pairs (side TEXT, n INTEGER)")
    stop, written = threading.Event(), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(home / "flowforge.db", isolation_level=None, timeout=30)) as connection:
            for n in range(100_000):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO pairs VALUES ('a', ?)", (n,))
                connection.execute("INSERT INTO pairs VALUES ('b', ?)", (n,))
                connection.execute("COMMIT")
                written.set()
                if stop.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(30)
        assert run("state.tar.gz").exit_code == 0
    finally:
        stop.set()
        writer.join()
    with database(members(tmp_path / "state.tar.gz")["flowforge.db"], tmp_path / "copy.db") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        counts = dict(copy.execute("SELECT side, count(*) FROM pairs GROUP BY side").fetchall())
    assert counts["a"] == counts["b"] > 0


HOLD = """
import sys
from flowforge_ui.analytics.store import open_store
store = open_store(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
store.close()
"""


def test_a_store_the_server_holds_is_said_and_can_be_left_out(run: Run, home: Path, tmp_path: Path) -> None:
    url = f"duckdb:///{home}/analytics.duckdb"
    command = [sys.executable, "-c", HOLD, url]
    environ = {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"held\n"
        refused = run("state.tar.gz")
        assert not (tmp_path / "state.tar.gz").exists()
        without = run("state.tar.gz", "--without-analytics", "--json")
        server.communicate()
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: the running server holds the analytics store, and only one process ")
    assert without.exit_code == 0, without.output
    assert json.loads(without.stdout)["parts"] == ["flowforge.db", "projects"]


def test_a_file_that_is_there_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state.tar.gz").write_bytes(b"precious")
    result = run("state.tar.gz")
    assert (result.exit_code, result.stderr) == (1, "Error: state.tar.gz is there already; nothing was written\n")
    assert (tmp_path / "state.tar.gz").read_bytes() == b"precious"


def test_the_collectors_key_comes_along_only_when_asked(run: Run, tmp_path: Path) -> None:
    assert run("without.tar.gz").exit_code == 0
    assert run("with.tar.gz", "--collector-key").exit_code == 0
    assert "collector.key" not in members(tmp_path / "without.tar.gz")
    assert members(tmp_path / "with.tar.gz")["collector.key"] == b"k" * 32


def test_the_collectors_database_comes_along(run: Run, home: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home / "collector.db")) as connection:
        connection.execute("CREATE TABLE pings (n INTEGER)")
    assert run("state.tar.gz").exit_code == 0
    with database(members(tmp_path / "state.tar.gz")["collector.db"], tmp_path / "copy.db") as copy:
        assert copy.execute("SELECT name FROM sqlite_master").fetchall() == [("pings",)]


def test_postgresql_is_refused_with_the_command_to_use(run: Run, tmp_path: Path) -> None:
    url = "postgresql://me:s3cr3t@db.example.com:5433/ff?sslmode=require&password=s3cr3t"
    result = run("state.tar.gz", FLOWFORGE_DATABASE__URL=url)
    command = (
        "pg_dump --format=custom --no-owner --file=state.dump "
        "'--dbname=postgresql://me@db.example.com:5433/ff?sslmode=require'"
    )
    assert result.exit_code == 1
    assert result.stderr == f"Error: the platform's state is in PostgreSQL, which has its own: {command}\n"


def test_nothing_to_back_up(run: Run, tmp_path: Path) -> None:
    result = run("state.tar.gz", FLOWFORGE_HOME="elsewhere")
    gone = tmp_path / "elsewhere" / "flowforge.db"
    assert (result.exit_code, result.stderr) == (1, f"Error: there is nothing to back up: {gone} does not exist\n")


def test_what_is_no_database_is_said(run: Run, home: Path, tmp_path: Path) -> None:
    (home / "flowforge.db").write_bytes(b"no database at all" * 100)
    for leftover in home.glob("flowforge.db-*"):
        leftover.unlink()
    result = run("state.tar.gz")
    assert (result.exit_code, result.stderr) == (1, f"Error: {home}/flowforge.db: file is not a database\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["var"]


def test_a_place_that_cannot_be_written_is_said(run: Run) -> None:
    result = run("nowhere/state.tar.gz")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.endswith("No such file or directory\n")
