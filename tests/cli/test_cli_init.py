"""`flowforge init`: what the browser's set-up does, without a browser, all of it or nothing."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text

from flowforge_ui.cli import main
from flowforge_ui.database import migrate, open_engine, reading, transaction
from flowforge_ui.platform import settings as chosen
from flowforge_ui.platform import setup, tables, users
from flowforge_ui.platform.installation import ensure
from flowforge_ui.platform.passwords import Passwords
from flowforge_ui.platform.record import Ledger
from flowforge_ui.telemetry.event import utc_now
from flowforge_ui.telemetry.identity import Pseudonyms
from flowforge_ui.telemetry.recorder import NullRecorder

Init = Callable[..., Result]
PASSWORD = "correct horse battery staple"


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Init:
    monkeypatch.chdir(tmp_path)

    def init(*arguments: str, stdin: str | bytes = PASSWORD + "\n", **environ: str) -> Result:
        return CliRunner(env=environ).invoke(main, ["init", *arguments], input=stdin)

    return init


def tell(home: Path) -> tuple[setup.SetupState, chosen.Settings, list[tuple[str, str]], list[str], list[str]]:
    """State of the set-up, the switches, accounts, audit log and outbox."""
    engine = open_engine(f"sqlite:///{home}/flowforge.db")
    try:
        with reading(engine) as tx:
            accounts = tx.execute(select(tables.users.c.username, tables.users.c.role)).all()
            audit = tx.execute(select(tables.audit.c.event).order_by(tables.audit.c.id)).scalars().all()
            outbox = tx.execute(text("SELECT event FROM outbox ORDER BY id")).scalars().all()
            return setup.state(tx), chosen.read(tx), [(one[0], one[1]) for one in accounts], list(audit), list(outbox)
    finally:
        engine.dispose()


@pytest.mark.parametrize("telemetry", [True, False])
@pytest.mark.parametrize("local", [True, False])
def test_the_three_steps(init: Init, tmp_path: Path, telemetry: bool, local: bool) -> None:
    options = [*([] if telemetry else ["--no-telemetry"]), *(["--local-analytics"] if local else [])]
    result = init("--admin", "Root", "--password-stdin", "--json", *options)
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout) == {
        "administrator": "root",
        "base_url": "http://127.0.0.1:3000",
        "telemetry": telemetry,
        "local_analytics": local,
    }
    state, switches, accounts, audit, outbox = tell(tmp_path / "var")
    assert (state.step, state.finished) == ("finish", True)
    assert (switches.telemetry_enabled, switches.local_analytics) == (telemetry, local)
    assert accounts == [("root", "admin")]
    assert audit == ["user registered", "set-up finished"]
    assert outbox == (["user registered", "set-up finished"] if local else [])


def test_the_password_is_the_text_without_its_line_end(init: Init, tmp_path: Path) -> None:
    assert init("--admin", "root", "--password-stdin", stdin="  pässword with ends \r\n").exit_code == 0
    with closing(sqlite3.connect(tmp_path / "var" / "flowforge.db")) as connection:
        ((stored,),) = connection.execute("SELECT password_hash FROM users").fetchall()
    assert Passwords().verify(stored, "  pässword with ends ")


def test_what_the_file_decides_is_said(init: Init, tmp_path: Path) -> None:
    (tmp_path / "flowforge.yml").write_text("telemetry:\n  enabled: false\n")
    result = init("--admin", "root", "--password-stdin")
    assert result.exit_code == 0
    assert result.stdout == (
        "Set up. root can sign in at http://127.0.0.1:3000 once the server runs.\n"
        "Core ping: off. Nothing leaves this platform. Decided by flowforge.yml:2.\n"
        "Local analytics: off. It is switched off.\n"
    )
    # What the file has decided, nobody has chosen: without that line nothing of it is left.
    assert tell(tmp_path / "var")[1] == chosen.Settings(None, False, None)


def test_a_second_time_changes_nothing(init: Init, tmp_path: Path) -> None:
    assert init("--admin", "root", "--password-stdin").exit_code == 0
    before = tell(tmp_path / "var")
    again = init("--admin", "bob", "--password-stdin", "--no-telemetry")
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr == "Error: this installation is set up already; nothing was changed\n"
    assert tell(tmp_path / "var") == before


@pytest.mark.parametrize("name", ["root", "alice"])
def test_a_set_up_begun_in_the_browser_is_left_to_it(init: Init, tmp_path: Path, name: str) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/var/flowforge.db")
    migrate(engine)
    pseudonyms = Pseudonyms(ensure(engine, utc_now).secret)
    ledger = Ledger(NullRecorder(), pseudonyms, utc_now, lambda _tx, _who: None)
    who = users.candidate(Passwords(memory_kib=8, rounds=1), username="alice", password=PASSWORD)
    with transaction(engine) as tx:
        setup.create_administrator(tx, ledger, who)
    engine.dispose()
    before = tell(tmp_path / "var")
    result = init("--admin", name, "--password-stdin")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: an administrator exists already, and nothing was changed: "
        "sign in as that account at http://127.0.0.1:3000/setup to finish the set-up\n"
    )
    assert tell(tmp_path / "var") == before


def test_two_at_once_make_one_administrator(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FLOWFORGE_")}
    environ |= {"PYTHONPATH": str(Path(__file__).parents[2])}

    def start(name: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "flowforge_ui", "init", "--admin", name, "--password-stdin"],
            cwd=tmp_path,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    with start("alice") as first, start("bob") as second:
        # Both have read what they were given before either can be done.
        for process in (first, second):
            assert process.stdin is not None
            process.stdin.write(PASSWORD)
            process.stdin.flush()
        results = [(process.communicate(timeout=60)[1], process.returncode) for process in (first, second)]
    assert sorted(results) == [("", 0), ("Error: this installation is set up already; nothing was changed\n", 1)]
    _, _, accounts, audit, _ = tell(tmp_path / "var")
    assert [role for _, role in accounts] == ["admin"]
    assert audit == ["user registered", "set-up finished"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "said"),
    [
        (["--admin", "root", "--password-stdin"], "short", 1, "Error: password: At least 8 characters.\n"),
        (["--admin", "root", "--password-stdin"], "\n", 1, "Error: there is no password on standard input\n"),
        (["--admin", "root", "--password-stdin"], b"\xff" * 9, 1, "the password on standard input is not UTF-8\n"),
        (["--admin", "root", "--password-stdin"], "x" * 5000, 1, "standard input is too long for a password\n"),
        (["--admin", "R<>", "--password-stdin"], PASSWORD, 1, "Error: username: 2 to 32 of a-z, 0-9, dot, hyphen"),
        (["--admin", "root"], PASSWORD, 2, "there is no terminal to ask for the password: say --password-stdin\n"),
        (["--password-stdin"], PASSWORD, 2, "Missing option '--admin'"),
    ],
)
def test_what_is_wrong_is_said(init: Init, arguments: list[str], stdin: str | bytes, code: int, said: str) -> None:
    result = init(*arguments, stdin=stdin)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert PASSWORD not in result.stderr


def test_a_database_that_cannot_be_reached_is_said_without_its_password(init: Init) -> None:
    url = "postgresql://me:s3cr3t@127.0.0.1:1/ff"
    result = init("--admin", "root", "--password-stdin", FLOWFORGE_DATABASE__URL=url)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the database cannot be used (database.url): ")
    assert result.stderr.count("\n") == 1
    assert "s3cr3t" not in result.stderr


def test_a_database_of_a_newer_version_is_left_alone(init: Init, tmp_path: Path) -> None:
    assert init("--admin", "root", "--password-stdin").exit_code == 0
    path = tmp_path / "var" / "flowforge.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    result = init("--admin", "root", "--password-stdin")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The database is at revision from_the_future, which this version does not")
    assert path.read_bytes() == before


def test_what_is_no_database_is_said(init: Init, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "flowforge.db").write_bytes(b"no database at all" * 100)
    result = init("--admin", "root", "--password-stdin")
    assert result.exit_code == 1
    assert "is no SQLite database" in result.stderr


def test_a_home_that_cannot_be_made_is_said(init: Init, tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    result = init("--admin", "root", "--password-stdin")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {tmp_path}/var")
    assert "Traceback" not in result.stderr
