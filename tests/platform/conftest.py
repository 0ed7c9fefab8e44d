"""Everything the platform does is tried on both databases."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, event, func, select

from flowforge_ui.database import reading
from flowforge_ui.platform import tables
from flowforge_ui.platform.house import Platform
from flowforge_ui.telemetry.outbox_tables import outbox

if TYPE_CHECKING:
    from tests.conftest import Cast

COMMON = {"app_version", "role", "source"}


@pytest.fixture
def engine(any_engine: Engine) -> Engine:
    return any_engine


class Told:
    """What has been written down since this was made."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with reading(engine) as tx:
            self._event = tx.execute(select(func.max(outbox.c.id))).scalar() or 0
            self._entry = tx.execute(select(func.max(tables.audit.c.id))).scalar() or 0

    def events(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Name, distinct id and own properties of each event in the outbox, oldest first."""
        c = outbox.c
        with reading(self._engine) as tx:
            rows = tx.execute(
                select(c.event, c.distinct_id, c.properties).where(c.id > self._event).order_by(c.id)
            ).all()
        parsed = [(name, who, json.loads(properties)) for name, who, properties in rows]
        return [
            (name, who, {key: value for key, value in properties.items() if key not in COMMON})
            for name, who, properties in parsed
        ]

    def audit(self) -> list[tuple[str | None, str, str | None, str | None]]:
        """Actor, event, team and target of each audit row, oldest first."""
        c = tables.audit.c
        with reading(self._engine) as tx:
            rows = tx.execute(
                select(c.actor, c.event, c.team_id, c.target).where(c.id > self._entry).order_by(c.id)
            ).all()
        return [(actor, what, team, target) for actor, what, team, target in rows]


@pytest.fixture
def told(platform: Platform, cast: Cast) -> Told:
    return Told(platform.engine)


@pytest.fixture
def told_before(platform: Platform) -> Told:
    """The same, from before the set-up."""
    return Told(platform.engine)


class Statements:
    """How many statements an engine has been given."""

    def __init__(self, engine: Engine) -> None:
        self.texts: list[str] = []
        event.listen(engine, "before_cursor_execute", self._count)

    def _count(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("PRAGMA", "BEGIN")):
            self.texts.append(statement)


@pytest.fixture
def statements(engine: Engine) -> Statements:
    return Statements(engine)


Race = Callable[..., list[Any]]


@pytest.fixture
def race() -> Race:
    """Run acts at the same moment, each in a thread; gives what each returned or raised."""

    def run(*acts: Callable[[], Any]) -> list[Any]:
        start = threading.Barrier(len(acts))
        found: list[Any] = [None] * len(acts)

        def one(number: int) -> None:
            start.wait()
            try:
                found[number] = acts[number]()
            except Exception as error:  # noqa: BLE001 - what it raises is what the test asks about
                found[number] = error

        threads = [threading.Thread(target=one, args=(number,)) for number in range(len(acts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    return run
