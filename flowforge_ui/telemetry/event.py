"""What is recorded: one fact about one subject at one moment."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

Scalar = str | int | float | bool
"""Every value that may be recorded; nothing nests, so nothing can hide in a corner."""

Clock = Callable[[], datetime]
"""Returns the present moment as an aware UTC datetime."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

Origin = Literal["browser", "server"]
Role = Literal["anonymous", "user", "analyst", "admin"]
ROLES: tuple[Role, ...] = ("anonymous", "user", "analyst", "admin")


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded fact. `uuid` and `timestamp` are set when it is recorded and never change afterwards.

    `uuid` is the canonical lower-case text form; `timestamp` (when it happened) and `recorded_at` (when this server
    took it down) are milliseconds since the epoch, UTC.
    """

    uuid: str
    name: str
    distinct_id: str
    timestamp: int
    properties: Mapping[str, Scalar]
    origin: Origin = "server"
    recorded_at: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """Who did it, as telemetry may know them: a pseudonym, whether they opted out, and their role."""

    distinct_id: str
    opted_out: bool = False
    role: Role = "user"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that is not recorded, with a reason from a closed set."""

    reason: str
    detail: str = field(default="", compare=False)


def utc_now() -> datetime:
    return datetime.now(UTC)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since the epoch of an aware datetime; what is finer is cut off."""
    return (moment - EPOCH) // _MILLISECOND


def new_uuid() -> str:
    """A time-ordered UUID (version 7), so that the index on it grows at its end."""
    bits = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    bits = bits & ~(0xF << 76) | 0x7 << 76
    bits = bits & ~(0x3 << 62) | 0x2 << 62
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
