from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import IntegrityError

from flowforge_ui.database import reading, transaction
from flowforge_ui.platform import installation, tables

if TYPE_CHECKING:
    from tests.conftest import FakeClock
    from tests.platform.conftest import Race


def test_it_is_made_once_and_stays(engine: Engine, clock: FakeClock) -> None:
    made = installation.ensure(engine, clock)
    clock.advance(days=1)
    assert installation.ensure(engine, clock) == made
    assert str(uuid.UUID(made.instance_id)) == made.instance_id
    assert len(made.secret) == 32
    assert re.fullmatch(r"[a-z][a-z0-9]{9}", made.capture_prefix)
    assert re.fullmatch(r"ffl_[A-Za-z0-9_-]{32}", made.local_token)
    assert made.created_at == clock.advance(days=-1)


def test_no_two_installations_are_alike(engine: Engine, clock: FakeClock) -> None:
    first = installation.ensure(engine, clock)
    with transaction(engine) as tx:
        tx.execute(tables.installation.delete())
    second = installation.ensure(engine, clock)
    differing = ("instance_id", "secret", "capture_prefix", "local_token")
    assert all(getattr(first, name) != getattr(second, name) for name in differing)


def test_there_can_be_only_one_row(engine: Engine, clock: FakeClock) -> None:
    installation.ensure(engine, clock)
    row = {"instance_id": "x", "secret": b"x", "capture_prefix": "x", "local_token": "x", "created_at": clock()}
    with pytest.raises(IntegrityError), transaction(engine) as tx:
        tx.execute(insert(tables.installation).values(id=2, **row))


def test_first_starts_at_the_same_moment_agree(engine: Engine, clock: FakeClock, race: Race) -> None:
    found = race(*[lambda: installation.ensure(engine, clock)] * 6)
    assert found == [found[0]] * 6
    assert isinstance(found[0], installation.Installation)
    with reading(engine) as tx:
        assert tx.execute(select(func.count()).select_from(tables.installation)).scalar() == 1


def test_keys_are_apart_and_secrets_are_not_printed(engine: Engine, clock: FakeClock) -> None:
    here = installation.ensure(engine, clock)
    assert len({here.key("a"), here.key("b"), here.secret}) == 3
    assert here.key("a") == here.key("a")
    assert here.local_token not in repr(here)
    assert "secret" not in repr(here)
