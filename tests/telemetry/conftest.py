"""A plan, an outbox on each database, and events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

import flowforge_ui
from flowforge_ui.database import open_engine
from flowforge_ui.telemetry.outbox import Outbox
from flowforge_ui.telemetry.plan import Plan
from tests.conftest import Cluster, FakeClock
from tests.support.outbox import outbox_on
from tests.support.posthog_server import FakePostHog


@pytest.fixture(scope="session")
def plan() -> Plan:
    return Plan.load(Path(flowforge_ui.__file__).parent / "plan")


@pytest.fixture
def outbox(engine: Engine, clock: FakeClock) -> Outbox:
    """On SQLite."""
    return outbox_on(engine, clock)


@pytest.fixture
def any_outbox(any_engine: Engine, clock: FakeClock) -> Outbox:
    """Once on SQLite, once on PostgreSQL."""
    return outbox_on(any_engine, clock)


@pytest.fixture
def posthog_server() -> Iterator[FakePostHog]:
    with FakePostHog() as server:
        yield server


@pytest.fixture
def postgres_engine(postgres_cluster: Cluster) -> Iterator[Engine]:
    """A migrated PostgreSQL database of this test's own."""
    url = postgres_cluster.create(template="migrated")
    engine = open_engine(url)
    yield engine
    engine.dispose()
    postgres_cluster.drop(url)
