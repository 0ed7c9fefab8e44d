"""The installation's own store of events: what every engine must be able to do.

Events come in once each, however often they are handed over; questions are the files of `questions/`, one text for
both engines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from flowforge_ui.telemetry.event import Event

Parameter = str | int | bool | date | datetime
Row = Mapping[str, Any]

QUESTIONS = Path(__file__).parent / "questions"


class Store(Protocol):
    """Keeps events and answers questions. Safe to use from many threads at once."""

    url: str

    def append(self, events: Sequence[Event]) -> int:
        """Keep each event once; answer how many were new.

        Known uuids are passed over, in the store and within `events`. When this returns, the events are durable and
        every question sees them.
        Raises StoreUnavailable (try again later) and EventRefused (an event that can never be kept).
        """

    def ask(self, question: str, parameters: Mapping[str, Parameter]) -> list[Row]:
        """Answer `questions/{question}.sql`. Times in rows are aware and UTC, uuids are text."""

    def scan(self, question: str, parameters: Mapping[str, Parameter], rows: int = 10_000) -> Iterator[list[Row]]:
        """Answer a long question in pieces of `rows` rows at most."""

    def latest(self) -> datetime | None:
        """When the newest event was taken in; None while the store is empty."""

    def prune(self, before: datetime) -> int:
        """Forget the events that happened before that moment; answer how many they were."""

    def remove_demo(self) -> int:
        """Forget exactly the events marked as demonstration data; answer how many they were."""

    def close(self) -> None:
        """Let go of the store. Closing twice is no error."""


@cache
def question(name: str) -> str:
    """Read the text of a question."""
    return (QUESTIONS / f"{name}.sql").read_text(encoding="utf-8")


def open_store(url: str) -> Store:
    """Open the store at `duckdb:///path`, `clickhouse://user:password@host:port/database` or `clickhouses://…` (TLS).

    Raises StoreInUse, StoreDamaged, StoreTooNew or StoreUnavailable; ValueError for another scheme.
    """
    scheme = urlsplit(url).scheme
    if scheme == "duckdb":
        from flowforge_ui.analytics.duckdb_store import DuckDBStore

        return DuckDBStore.open(url)
    if scheme in {"clickhouse", "clickhouses"}:
        from flowforge_ui.analytics.clickhouse_store import ClickHouseStore

        return ClickHouseStore.open(url)
    raise ValueError(f"An analytics store is duckdb:///path or clickhouse://host, not {scheme or url!r}")
