"""Every event of a span of days into a file, a day at a time, so that memory stays flat."""

from __future__ import annotations

import csv
import os
import tempfile
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from flowforge_ui.analytics.columns import NAMES
from flowforge_ui.analytics.parquet_store import ParquetWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from flowforge_ui.analytics.store import Row, Store

Format = Literal["csv", "parquet"]


class Writer(Protocol):
    """Takes rows; `close` completes the file."""

    def write(self, rows: list[Row]) -> None: ...

    def close(self) -> None: ...


def days_held(store: Store, first: date, last: date) -> list[tuple[date, int]]:
    """The days that have events, and how many each has."""
    return [(row["day"], row["events"]) for row in store.ask("days", {"first": first, "last": last})]


def export(store: Store, days: list[tuple[date, int]], target: Path, form: Format, wrote: Callable[[int], None]) -> int:
    """Write the events of those days; answer how many. `wrote` is told of each piece.

    The file appears under its name when it is complete, readable by its owner alone.
    """
    total = 0
    with _appearing(target) as hidden, closing(_WRITERS[form](hidden)) as writer:
        for day, _ in days:
            for rows in store.scan("export_day", {"day": day}):
                writer.write(rows)
                total += len(rows)
                wrote(len(rows))
    return total


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(dir=target.absolute().parent, prefix=".", suffix=target.suffix)
    os.close(handle)
    hidden = Path(name)
    try:
        yield hidden
        hidden.replace(target)
    finally:
        hidden.unlink(missing_ok=True)


class CsvWriter:
    """RFC 4180 with a header; times in ISO 8601 with milliseconds, UTC. Text is quoted so that no sheet runs it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._csv = csv.writer(self._file)
        self._csv.writerow(NAMES)

    def write(self, rows: list[Row]) -> None:
        self._csv.writerows([_plain(row[name]) for name in NAMES] for row in rows)

    def close(self) -> None:
        self._file.close()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return "'" + value
    return value


_WRITERS: dict[Format, Callable[[Path], Writer]] = {"csv": CsvWriter, "parquet": ParquetWriter}
