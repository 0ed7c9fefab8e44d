"""The PostHog keys that pages of this installation may carry: the present one, and what it was before.

A page that was open when the administrator changed or removed the key goes on with the old one until it is loaded anew;
what it tells is this installation's all the same.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from flowforge_ui.database import reading, serialise, transaction

from . import tables
from .values import Clock, moment

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

KEPT = 5
_KEY = "posthog:keys"
_LOCK = 0x706167656B657973
_s = tables.settings.c


def remember(engine: Engine, clock: Clock, key: str | None) -> tuple[str, ...]:
    """The last `KEPT` keys with this one, the newest first; writes only where it is another one than last time."""
    with reading(engine) as tx:
        known = _read(tx)
    if key is None or known[:1] == (key,):
        return known
    with transaction(engine) as tx:
        serialise(tx, _LOCK)
        known = (key, *(other for other in _read(tx) if other != key))[:KEPT]
        tx.execute(delete(tables.settings).where(_s.key == _KEY))
        tx.execute(insert(tables.settings).values(key=_KEY, value=json.dumps(known), updated_at=moment(clock)))
    return known


def _read(tx: Connection) -> tuple[str, ...]:
    text = tx.execute(select(_s.value).where(_s.key == _KEY)).scalar()
    return tuple(json.loads(text)) if text else ()
