"""Events for the tests, as the capture endpoint and the server record them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flowforge_ui.telemetry.event import Event, Scalar, new_uuid

ALICE, BOB, CHARLIE = "u_alice", "u_bob", "u_charlie"


def at(text: str) -> datetime:
    """A moment in UTC from `2026-03-02 10:00:00.000`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stamp(text: str) -> int:
    return round(at(text).timestamp() * 1000)


def number(kind: int, value: int) -> str:
    """A uuid that says what it is: `number(1, 7)` is the view 7, for instance."""
    return str(UUID(int=kind << 96 | value, version=4))


def view(when: str, who: str, session: int, number_: int, route: str, *, role: str = "user", **more: Scalar) -> Event:
    properties: dict[str, Scalar] = {
        "route": route,
        "view_id": number(1, number_),
        "$session_id": number(2, session),
        "role": role,
        "source": "router",
        **more,
    }
    return Event(number(3, number_), "$pageview", who, stamp(when), properties, "browser", stamp(when) + 40)


def leave(  # noqa: PLR0917  the first five say which view, as in view()
    when: str, who: str, session: int, number_: int, route: str, engaged_ms: int, *, role: str = "user", **more: Scalar
) -> Event:
    properties: dict[str, Scalar] = {
        "route": route,
        "view_id": number(1, number_),
        "$session_id": number(2, session),
        "role": role,
        "source": "router",
        "engaged_ms": engaged_ms,
        **more,
    }
    return Event(number(4, number_), "$pageleave", who, stamp(when), properties, "browser", stamp(when) + 40)


def act(when: str, who: str, name: str, *, role: str = "user", **more: Scalar) -> Event:
    properties: dict[str, Scalar] = {"role": role, "source": "server", **more}
    return Event(new_uuid(), name, who, stamp(when), properties, "server", stamp(when))
