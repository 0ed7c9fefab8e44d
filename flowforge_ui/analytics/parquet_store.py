"""Rows into a Parquet file, which is written by the engine that knows how."""

from __future__ import annotations

import tempfile
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb

from flowforge_ui.analytics.columns import COLUMNS, NAMES, document

if TYPE_CHECKING:
    from pathlib import Path

    from flowforge_ui.analytics.store import Row

_TYPES = {"time": "TIMESTAMP", "integer": "BIGINT", "number": "DOUBLE", "flag": "BOOLEAN"}


class ParquetWriter:
    """Columns with their types. Rows are gathered in a scratch file beside the target, then written as one table."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._scratch = tempfile.TemporaryDirectory(dir=path.parent, prefix=".")
        self._engine = duckdb.connect(f"{self._scratch.name}/rows.duckdb", config={"memory_limit": "512MB"})
        columns = ", ".join(f'"{column.name}" {_TYPES.get(column.kind, "VARCHAR")}' for column in COLUMNS)
        self._engine.execute(f"CREATE TABLE rows (day DATE, {columns})")
        kinds = {"day": "DATE", **{column.name: _TYPES.get(column.kind, "VARCHAR") for column in COLUMNS}}
        self._insert = "INSERT INTO rows SELECT " + ", ".join(
            f"""unnest(from_json(?, '["{kinds[name]}"]'))""" for name in NAMES
        )

    def write(self, rows: list[Row]) -> None:
        self._engine.execute(self._insert, [document([_naive(row[name]) for row in rows]) for name in NAMES])

    def close(self) -> None:
        path = str(self._path).replace("'", "''")
        self._engine.execute(f"COPY (SELECT * FROM rows) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
        self._engine.close()
        self._scratch.cleanup()


def _naive(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value
