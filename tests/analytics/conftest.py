from __future__ import annotations

from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

import clickhouse_connect
import pytest

from flowforge_ui.analytics.clickhouse_store import ClickHouseStore
from flowforge_ui.analytics.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clickhouse_connect.driver.client import Client

    from flowforge_ui.analytics.store import Store

_databases = count()


@pytest.fixture(scope="session")
def chdb_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """ClickHouse's own engine, in this process, for which it admits one directory."""
    path = str(tmp_path_factory.mktemp("chdb"))
    with closing(clickhouse_connect.get_client(interface="chdb", path=path)):
        yield path


@pytest.fixture
def clickhouse(chdb_directory: str) -> Iterator[Client]:
    """A client of an empty database."""
    name = f"analytics_{next(_databases)}"
    with closing(clickhouse_connect.get_client(interface="chdb", path=chdb_directory)) as client:
        client.command(f"CREATE DATABASE {name}")
        with closing(clickhouse_connect.get_client(interface="chdb", path=chdb_directory, database=name)) as own:
            yield own
        client.command(f"DROP DATABASE {name}")


@pytest.fixture(params=["duckdb", "clickhouse"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store, on each engine."""
    if request.param == "duckdb":
        with closing(open_store(f"duckdb:///{tmp_path}/analytics.duckdb")) as opened:
            yield opened
    else:
        yield ClickHouseStore(request.getfixturevalue("clickhouse"), "clickhouse://localhost/analytics")
