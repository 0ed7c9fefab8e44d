"""Settings an administrator may change while the platform runs: a closed set of typed keys.

The database holds what was chosen; what takes effect is decided by whoever also knows the configuration.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, select, update

from flowforge_ui.database import serialise

from . import tables
from .actor import Actor, require_admin
from .errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .record import Ledger

log = logging.getLogger(__name__)

TELEMETRY_ENABLED = "telemetry:enabled"
LOCAL_ANALYTICS = "local_analytics"
USER_SIGNUP = "user:signup"
KEYS = (TELEMETRY_ENABLED, LOCAL_ANALYTICS, USER_SIGNUP)

_SETTINGS = 0x73657474696E6773
_s = tables.settings.c


@dataclass(frozen=True, slots=True)
class Settings:
    """What has been chosen; None where nobody has chosen yet. `warnings` name what stands there but means nothing."""

    telemetry_enabled: bool | None
    local_analytics: bool | None
    user_signup: bool | None
    warnings: tuple[str, ...] = ()

    def chosen(self, key: str) -> bool | None:
        """The value of one of `KEYS`."""
        return dict(zip(KEYS, (self.telemetry_enabled, self.local_analytics, self.user_signup), strict=True))[key]


def parse(key: str, text: str | None) -> tuple[bool | None, str | None]:
    """The boolean a stored text means, and a warning: text that is no boolean counts as off."""
    if text is None:
        return None, None
    if text in ("true", "false"):
        return text == "true", None
    return False, f"The setting {key} holds {text[:40]!r}, which is neither true nor false; it counts as off."


def read(tx: Connection) -> Settings:
    """All settings, in one query."""
    rows: dict[str, str] = {key: text for key, text in tx.execute(select(_s.key, _s.value).where(_s.key.in_(KEYS)))}  # noqa: C416 - a Row is no pair to dict()'s types
    parsed = [parse(key, rows.get(key)) for key in KEYS]
    warnings = tuple(warning for _, warning in parsed if warning)
    for warning in warnings:
        log.warning("%s", warning)
    telemetry, local, signup = (value for value, _ in parsed)
    return Settings(telemetry, local, signup, warnings)


def change(tx: Connection, ledger: Ledger, actor: Actor, values: Mapping[str, object]) -> Settings:
    """Set some keys; each that really changes is an event. For administrators.

    Raises:
        InvalidInput: an unknown key, or a value that is no boolean; nothing is changed then.
    """
    require_admin(actor)
    fields = {
        key: "There is no such setting." if key not in KEYS else "It has to be true or false."
        for key, value in values.items()
        if key not in KEYS or not isinstance(value, bool)
    }
    if fields:
        raise InvalidInput(fields=fields)
    serialise(tx, _SETTINGS)
    for key, value in values.items():
        if store(tx, ledger, key, value=bool(value)):
            target = f"{key}: {'on' if value else 'off'}"
            ledger.record(tx, actor, "setting changed", {"setting": key}, target=target)
    return read(tx)


def store(tx: Connection, ledger: Ledger, key: str, *, value: bool) -> bool:
    """Write one key without asking who; gives whether it changed anything."""
    text = "true" if value else "false"
    before = tx.execute(select(_s.value).where(_s.key == key)).scalar()
    if before is None:
        tx.execute(insert(tables.settings).values(key=key, value=text, updated_at=ledger.now()))
    elif before != text:
        tx.execute(update(tables.settings).where(_s.key == key).values(value=text, updated_at=ledger.now()))
    return before != text
