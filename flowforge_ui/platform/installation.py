"""What this installation is: one row, made once, whoever comes first."""

from __future__ import annotations

import hmac
import secrets
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from flowforge_ui.database import reading, transaction

from . import tables
from .values import Clock, moment, random_word

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Installation:
    """`instance_id` is a random identifier; `secret` is 32 random bytes that never leave this server.

    `capture_prefix` is the path browser events are sent below, `local_token` the key they carry while local
    analytics is their only receiver.
    """

    instance_id: str
    secret: bytes = field(repr=False)
    capture_prefix: str
    local_token: str = field(repr=False)
    created_at: datetime

    def key(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose; keys of different purposes tell nothing about each other."""
        return hmac.digest(self.secret, f"flowforge platform {purpose}".encode(), "sha256")


def ensure(engine: Engine, clock: Clock) -> Installation:
    """The installation's row; made now if there is none yet."""
    with reading(engine) as tx:
        found = _find(tx)
    if found:
        return found
    try:
        with transaction(engine) as tx:
            if found := _find(tx):
                return found
            tx.execute(insert(tables.installation).values(id=1, **_fresh(clock)))
    except IntegrityError:  # PostgreSQL lets two look at once; one has inserted
        pass
    with reading(engine) as tx:
        return _found(tx)


def _fresh(clock: Clock) -> dict[str, object]:
    return {
        "instance_id": str(uuid.uuid4()),
        "secret": secrets.token_bytes(32),
        "capture_prefix": random_word(10),
        "local_token": "ffl_" + secrets.token_urlsafe(24),
        "created_at": moment(clock),
    }


def _find(tx: Connection) -> Installation | None:
    c = tables.installation.c
    row = tx.execute(
        select(c.instance_id, c.secret, c.capture_prefix, c.local_token, c.created_at).where(c.id == 1)
    ).one_or_none()
    return None if row is None else Installation(row[0], bytes(row[1]), row[2], row[3], row[4])


def _found(tx: Connection) -> Installation:
    found = _find(tx)
    if found is None:
        raise RuntimeError("the installation's row has vanished")
    return found
