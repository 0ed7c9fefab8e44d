"""The administrators' overview, and what telemetry does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from flowforge_ui import __version__
from flowforge_ui.platform import projects, teams, users
from flowforge_ui.telemetry import archive
from flowforge_ui.telemetry.decision import CHANNELS
from flowforge_ui.telemetry.outbox import SINKS

from . import shapes
from .hosts import hosts
from .table import Guard, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flowforge_ui.telemetry.archive import Archived
    from flowforge_ui.telemetry.decision import Channel, Decision
    from flowforge_ui.telemetry.outbox import Standing
    from flowforge_ui.web.house import House

    from .call import Call

ENDPOINTS = Table("/api/v1/admin")
on = ENDPOINTS.on

_DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_LABELS: Mapping[Channel, str] = {
    "ping": "Core telemetry",
    "posthog": "PostHog",
    "local": "Usage analytics on this server",
    "plausible": "Plausible (deprecated)",
}


@on("GET", "/overview", Guard.ADMIN, "The installation in numbers", answer=shapes.Overview)
def overview(call: Call[None]) -> shapes.Overview:
    with call.reading() as tx:
        counts = shapes.Counts(users=users.count(tx), teams=teams.count(tx), projects=projects.count(tx))
    return shapes.Overview(
        version=__version__,
        instance_id=call.platform.installation.instance_id,
        counts=counts,
        database=_DATABASES[call.platform.engine.dialect.name],
        started_at=call.house.started_at,
    )


@on("GET", "/telemetry/status", Guard.ADMIN, "Every channel: on or off, who decided, how it goes",
    answer=shapes.TelemetryStatus)  # fmt: skip
def telemetry_status(call: Call[None]) -> shapes.TelemetryStatus:
    house = call.house
    with call.reading() as tx:
        now = house.channels.read(tx)
        pings = archive.history(tx)
    house.capture.intake.flush()  # requests refused as a whole are only noted until then
    standing = house.outbox.standing()
    return shapes.TelemetryStatus(
        channels=[
            _channel(channel, now.decisions[channel], standing, _record(house, channel, pings)) for channel in CHANNELS
        ],
        counts=_received(standing.counts),
        hosts=hosts(house.settings, now.on),
        warnings=[*house.settings.warnings, *now.chosen.warnings],
    )


def _received(counts: Mapping[str, Mapping[str, int]]) -> shapes.EventCounts:
    """Events, and apart from them requests refused as a whole: nobody knows how many events those carried."""
    return shapes.EventCounts(
        accepted=sum(counts.get("accepted", {}).values()),
        dropped={reason: n for reason, n in counts.get("dropped", {}).items() if n},
        refused=dict(counts.get("refused", {})),
    )


class _Record(NamedTuple):
    """When somebody last took what the channel sends, and what has gone wrong since."""

    last_success_at: int | None = None
    last_error_at: int | None = None
    last_error: str | None = None


def _record(house: House, channel: Channel, pings: list[Archived]) -> _Record:
    """The ping's is in its archive. An error after which something was taken is healed, and no news any more."""
    if channel == "ping":
        taken = next((each.finished_at for each in pings if each.outcome == "sent"), None)
        newest = pings[0] if pings else None
        return _Record(taken, newest.finished_at, newest.error) if newest and newest.error else _Record(taken)
    if channel not in SINKS:
        return _Record()
    record = house.outbox.sink_record(channel)
    healed = (record.last_error_at or 0) <= (record.last_success_at or 0)
    return _Record(record.last_success_at, *(() if healed else (record.last_error_at, record.last_error)))


def _channel(channel: Channel, decision: Decision, standing: Standing, record: _Record) -> shapes.Channel:
    def count(kind: str) -> int:
        return standing.counts.get(kind, {}).get(channel, 0)

    return shapes.Channel(
        channel=channel,
        label=_LABELS[channel],
        allowed=decision.allowed,
        reason=decision.reason,
        decided_by=decision.decided_by,
        layers=[shapes.Layer(layer=layer.layer, value=layer.value, decides=layer.decides) for layer in decision.layers],
        last_success_at=_moment(record.last_success_at),
        last_error_at=_moment(record.last_error_at),
        last_error=record.last_error,
        addressed=count("addressed"),
        pending=standing.pending.get(channel, 0),
        delivered=count("delivered"),
        failed=count("failed"),
        abandoned=count("abandoned"),
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
