from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from sqlalchemy import func, insert, select

import flowforge_ui
from flowforge_ui.database import reading, transaction
from flowforge_ui.platform import audit, sessions, tables, teams
from flowforge_ui.platform.errors import Forbidden, NotFound
from flowforge_ui.platform.house import Platform

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.conftest import Cast, FakeClock
    from tests.platform.conftest import Statements, Told

SOURCE = Path(flowforge_ui.__file__).parent


def test_an_act_that_fails_leaves_neither_row(platform: Platform, cast: Cast, told: Told) -> None:
    def attempt() -> None:
        with transaction(platform.engine) as tx:
            teams.create(tx, platform.ledger, cast.alice, "Second")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        attempt()
    assert (told.events(), told.audit()) == ([], [])


def test_an_act_s_rows_appear_together(platform: Platform, cast: Cast, told: Told) -> None:
    with transaction(platform.engine) as tx:
        teams.create(tx, platform.ledger, cast.alice, "Second")
        assert (told.events(), told.audit()) == ([], [])  # to everybody else
    assert (len(told.events()), len(told.audit())) == (1, 1)


def test_every_event_recorded_is_in_the_plan() -> None:
    """And every server event of the plan is recorded by some act."""
    recorded = {
        node.args[2].value
        for path in (SOURCE / "platform").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "record"
        and len(node.args) > 2
        and isinstance(node.args[2], ast.Constant)
    }
    plan = yaml.safe_load((SOURCE / "plan" / "events.yml").read_text())
    assert recorded == {event["name"] for event in plan["events"] if event["side"] == "server"}


def test_the_cast_s_coming_in_was_recorded_whole(platform: Platform, cast: Cast) -> None:
    """No event was dropped for a property the plan does not allow."""
    with reading(platform.engine) as tx:
        from flowforge_ui.telemetry.outbox_tables import counters, outbox

        names = tx.execute(select(outbox.c.event).order_by(outbox.c.id)).scalars().all()
        dropped = tx.execute(
            select(func.coalesce(func.sum(counters.c.n), 0)).where(counters.c.kind == "dropped")
        ).scalar()
    assert names == [
        "user registered",
        "set-up finished",
        "user registered",
        "user registered",
        "user registered",
        "team created",
        "invitation sent",
        "invitation accepted",
    ]
    assert dropped == 0


def test_a_team_s_log_is_for_its_owners(platform: Platform, cast: Cast, clock: FakeClock) -> None:
    with transaction(platform.engine) as tx:
        clock.advance(minutes=1)
        teams.create(tx, platform.ledger, cast.alice, "Second")
        teams.rename(tx, platform.ledger, cast.alice, cast.plant.id, "Works")
    with reading(platform.engine) as tx:
        found = audit.of_team(tx, cast.alice, cast.plant.id)
        with pytest.raises(Forbidden):
            audit.of_team(tx, cast.bob, cast.plant.id)
        for stranger in (cast.charlie, cast.root):
            with pytest.raises(NotFound):
                audit.of_team(tx, stranger, cast.plant.id)
    assert [(entry.actor, entry.event, entry.target) for entry in found] == [
        ("alice", "team renamed", "Works"),
        ("bob", "invitation accepted", "bob: member"),
        ("alice", "invitation sent", "bob: member"),
        ("alice", "team created", "Plant"),
    ]
    assert (found[0].at, found[0].team_id) == (clock(), cast.plant.id)


def test_the_platform_s_log_is_for_administrators(platform: Platform, cast: Cast) -> None:
    with reading(platform.engine) as tx:
        with pytest.raises(Forbidden):
            audit.of_platform(tx, cast.alice)
        found = audit.of_platform(tx, cast.root)
    assert [entry.event for entry in found][-2:] == ["set-up finished", "user registered"]


def fill(tx: Connection, platform: Platform, team_id: str, number: int) -> None:
    row = {"at": platform.ledger.now(), "actor_id": "x", "actor": "x", "event": "x", "team_id": team_id}
    tx.execute(insert(tables.audit), [{**row, "target": str(n)} for n in range(number)])


def test_a_long_log_comes_in_pages_of_two_queries(platform: Platform, cast: Cast, statements: Statements) -> None:
    with transaction(platform.engine) as tx:
        fill(tx, platform, cast.plant.id, 450)
    targets: list[str | None] = []
    before = None
    with reading(platform.engine) as tx:
        statements.texts.clear()
        while page := audit.of_team(tx, cast.alice, cast.plant.id, before=before, limit=1000):
            targets += [entry.target for entry in page]
            before = page[-1].id
    assert len(statements.texts) == 2 * 4
    assert targets == [str(n) for n in range(449, -1, -1)] + ["bob: member", "bob: member", "Plant"]


def test_chores_delete_what_is_over(platform: Platform, cast: Cast, clock: FakeClock) -> None:
    with transaction(platform.engine) as tx:
        sessions.create(tx, platform.ledger.now(), cast.alice.user_id, "")
        platform.throttle.admit(tx, platform.ledger.now(), account="alice", address=None)
    clock.advance(days=20)
    with transaction(platform.engine) as tx:
        sessions.create(tx, platform.ledger.now(), cast.alice.user_id, "")
        platform.throttle.admit(tx, platform.ledger.now(), account="alice", address=None)
        teams.create(tx, platform.ledger, cast.alice, "Second")
    chores = platform.chores(keep_audit=timedelta(days=10))
    assert sorted(chores) == ["audit", "sessions", "throttle"]
    for chore in chores.values():
        chore()
    with reading(platform.engine) as tx:
        found = [
            tx.execute(select(func.count()).select_from(table)).scalar()
            for table in (tables.sessions, tables.login_attempts, tables.audit)
        ]
    assert found == [1, 1, 1]
