"""What the insights answer, as docs/api.md says it; for the OpenAPI document and its test."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from .shapes import Answer, Moment


class Range(Answer):
    from_: date = Field(alias="from")
    to: date
    days: int


class Previous(Answer):
    from_: date = Field(alias="from")
    to: date


class Tile(Answer):
    key: str
    label: str
    unit: Literal["count", "ms"]
    value: int | None
    previous: int | None
    n: int
    definition: str


class Point(Answer):
    day: date
    users: int
    teams: int
    sessions: int
    views: int
    previous_users: int
    previous_sessions: int
    previous_views: int


class Series(Answer):
    label: str
    definition: str
    points: list[Point]


class Usage(Answer):
    range: Range
    previous: Previous
    tiles: list[Tile]
    series: Series
    fresh_until: Moment | None
    empty: bool
    demo: bool


class RouteRow(Answer):
    route: str
    title: str
    views: int
    previous_views: int
    users: int
    teams: int
    engaged_median_ms: int | None
    engaged_p75_ms: int | None
    entry_ratio: float | None
    exit_ratio: float | None
    load_p75_ms: int | None


class Routes(Answer):
    range: Range
    previous: Previous
    recorded_since: str | None
    definition: str
    rows: list[RouteRow]
    empty: bool
    demo: bool


class Minute(Answer):
    minute: Moment
    views: int
    users: int


class LiveEvent(Answer):
    uuid: str
    event: str
    route: str | None
    title: str | None
    nav_type: str | None
    at: Moment
    received_at: Moment
    role: str | None
    browser: str | None
    origin: str


class Live(Answer):
    now: Moment
    users_now: int
    minutes: list[Minute]
    events: list[LiveEvent]
    empty: bool
    demo: bool
