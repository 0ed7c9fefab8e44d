"""`flowforge collector export` and `prune` on a real store, and what they say of a database that cannot be used."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from click.testing import CliRunner, Result

from flowforge_ui.cli import main
from flowforge_ui.collector.ping import DAY_MS, Ping, receipt_of
from flowforge_ui.collector.store import PingStore
from tests.support.collector import PLAN
from tests.support.ports import free_port

Flowforge = Callable[..., Result]
NOW = int(datetime.now(UTC).timestamp() * 1000)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flowforge:
    """Runs commands below `flowforge collector`, the collector's settings given by keyword."""
    monkeypatch.chdir(tmp_path)

    def invoke(*command: str, **collector: object) -> Result:
        settings = {"home": str(tmp_path / "var"), "collector": collector}
        (tmp_path / "flowforge.yml").write_text(yaml.safe_dump(settings), "utf-8")
        return CliRunner().invoke(main, ["collector", *command])

    return invoke


@pytest.fixture
def held(tmp_path: Path) -> list[Ping]:
    """Two pings in the database of that home: one whose time is over, one that stays."""
    pings = [ping(1, NOW - 100 * DAY_MS, NOW - DAY_MS), ping(2, NOW - DAY_MS, NOW + 89 * DAY_MS)]
    store = PingStore(f"sqlite:///{tmp_path / 'var' / 'collector.db'}", PLAN)
    store.prepare()
    with store.writing() as tx:
        store.keep(tx, pings)
    store.close()
    return pings


def ping(seq: int, received_at: int, expires_at: int) -> Ping:
    instance = str(uuid.UUID(int=seq))
    period = f"2026-11-23T10-{seq:08x}"
    return Ping(
        instance_id=instance,
        period=period,
        sha256="a" * 64,
        receipt=receipt_of(instance, period),
        received_at=received_at,
        expires_at=expires_at,
        token=None,
        token_epoch=None,
        seq=seq,
        last_receipt=None,
        secret_hash=None,
        values={"instanceId": instance, "env.flowforge": "0.9.0"},
    )


def rows(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_everything_held_is_exported_a_line_each(run: Flowforge, held: list[Ping]) -> None:
    found = rows(run("export", "-"))
    assert [each["receipt"] for each in found] == [each.receipt for each in held]
    assert json.loads(str(found[0]["payload"])) == dict(held[0].values)
    installations = rows(run("export", "-", "--what", "installations"))
    assert [(each["instance_id"], each["env_flowforge"]) for each in installations] == [
        (each.instance_id, "0.9.0") for each in held
    ]
    roll_ups = rows(run("export", "-", "--what", "roll-ups"))
    assert sum(int(str(each["n"])) for each in roll_ups if (each["grain"], each["dimension"]) == ("day", "all")) == 2


def test_only_what_is_over_is_pruned(run: Flowforge, held: list[Ping]) -> None:
    assert run("prune").stdout == "1 raw pings removed\n"
    assert json.loads(run("prune", "--json").stdout) == {"removed": 0}
    assert [each["receipt"] for each in rows(run("export", "-"))] == [held[1].receipt]


@pytest.mark.parametrize("command", [("export", "-"), ("prune",), ("demo",)], ids=lambda command: command[0])
def test_a_database_that_cannot_be_used_is_one_line(run: Flowforge, tmp_path: Path, command: tuple[str, ...]) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database at all" * 100)
    for url in (f"sqlite:///{broken}", f"postgresql+psycopg://me:MARK-PASSWORD@127.0.0.1:{free_port()}/fleet"):
        result = run(*command, database_url=url)
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: the database cannot be used (collector.database_url): ")
        assert (result.stderr.count("\n"), "MARK-PASSWORD" in result.output) == (1, False)
    assert broken.read_bytes() == b"no database at all" * 100


@pytest.mark.parametrize("command", [("export", "-"), ("prune",), ("demo",)], ids=lambda command: command[0])
def test_a_database_of_a_newer_collector_is_left_alone(
    run: Flowforge, held: list[Ping], tmp_path: Path, command: tuple[str, ...]
) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'var' / 'collector.db'}")
    with engine.begin() as tx:
        tx.execute(sa.text("UPDATE collector_about SET value = '99'"))
    result = run(*command)
    with engine.connect() as tx:
        kept = tx.execute(sa.text("SELECT count(*) FROM ping_raw")).scalar_one()
    engine.dispose()
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: the collector's database has schema 99, this program knows 1\n",
    )
    assert kept == len(held)
