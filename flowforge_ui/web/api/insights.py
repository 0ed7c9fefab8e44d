"""The dashboards' numbers, when this installation keeps them itself."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from flask import request

from flowforge_ui.analytics import insights
from flowforge_ui.analytics.ranges import InvalidRange
from flowforge_ui.web.errors import WebError

from . import numbers
from .table import Guard, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flowforge_ui.analytics.store import Store

    from .call import Call

ENDPOINTS = Table("/api/v1/insights")
on = ENDPOINTS.on

_RANGE = ("from", "to")


@on("GET", "/overview", Guard.ANALYST, "How much the platform is used", answer=numbers.Usage, query=_RANGE,
    errors=("local_analytics_off", "invalid"))  # fmt: skip
def overview(call: Call[None]) -> Mapping[str, Any]:
    return _ranged(call, insights.overview)


@on("GET", "/routes", Guard.ANALYST, "Which pages are used, and for how long", answer=numbers.Routes, query=_RANGE,
    errors=("local_analytics_off", "invalid"))  # fmt: skip
def routes(call: Call[None]) -> Mapping[str, Any]:
    return _ranged(call, insights.routes)


@on("GET", "/live", Guard.ANALYST, "The last half hour", answer=numbers.Live,
    errors=("local_analytics_off",))  # fmt: skip
def live(call: Call[None]) -> Mapping[str, Any]:
    return insights.live(_store(call), call.now)


def _ranged(call: Call[None], ask: Callable[..., Mapping[str, Any]]) -> Mapping[str, Any]:
    store = _store(call)
    try:
        return ask(store, _day("from"), _day("to"), call.now)
    except InvalidRange as error:
        raise WebError("invalid", fields={error.field: error.why}) from None


def _store(call: Call[None]) -> Store:
    if not call.house.channels.current().on("local"):
        raise WebError("local_analytics_off")
    return call.house.analytics()


def _day(name: str) -> date | None:
    text = request.args.get(name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise WebError("invalid", fields={name: "must be a day like 2026-11-23"})
    return day
