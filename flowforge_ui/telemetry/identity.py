"""Pseudonyms, and the tickets that prove one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from .event import ROLES, Role, milliseconds

if TYPE_CHECKING:
    from datetime import datetime

IdentityMode = Literal["anonymous", "pseudonymous", "username"]

TICKET_LIFETIME_MS = 30 * 86_400_000
"""As long as a tab may stay open without being loaded again."""
TICKET_MAX_LENGTH = 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a ticket speaks for."""

    distinct_id: str
    role: Role


class Pseudonyms:
    """Keyed hashes of ids, and signed tickets, both from the installation's secret (at least 16 bytes).

    A pseudonym is 128 bits of HMAC-SHA-256 as 26 base32 characters, lower case, after its kind's prefix. The kinds
    are hashed apart: user 1 and team 1 have nothing in common.
    """

    def __init__(self, secret: bytes, mode: IdentityMode = "pseudonymous") -> None:
        if len(secret) < 16:
            raise ValueError("the installation's secret needs at least 16 bytes")
        self._mode = mode
        self._names = _derive(secret, b"pseudonyms")
        # A page that was loaded before the administrator chose another mode names its person as that one did.
        self._tickets = _derive(secret, b"tickets " + mode.encode())

    def person(self, user_id: object, username: str) -> str:
        """What telemetry knows a user by: the pseudonym or, where the mode says so, the name itself."""
        return username if self._mode == "username" else self.user(user_id)

    def user(self, user_id: object) -> str:
        return self._pseudonym("u_", user_id)

    def team(self, team_id: object) -> str:
        return self._pseudonym("t_", team_id)

    def project(self, project_id: object) -> str:
        return self._pseudonym("p_", project_id)

    def ticket(self, distinct_id: str, now: datetime, role: Role = "user") -> str:
        """A proof, for 30 days, that the bearer acts as `distinct_id` in `role`."""
        expires = milliseconds(now) + TICKET_LIFETIME_MS
        payload = f"{expires}\n{role}\n{distinct_id}".encode()
        return f"{_text(payload)}.{_text(self._sign(payload))}"

    def open(self, ticket: str, now: datetime) -> Identity | None:
        """Whom the ticket speaks for; None when it is forged, damaged or expired."""
        if len(ticket) > TICKET_MAX_LENGTH or not ticket.isascii():
            return None
        head, _, mac = ticket.partition(".")
        try:
            payload, signature = _bytes(head), _bytes(mac)
        except (binascii.Error, ValueError):
            return None
        if not hmac.compare_digest(signature, self._sign(payload)):
            return None
        expires, role, distinct_id = payload.decode().split("\n", 2)
        if int(expires) <= milliseconds(now) or role not in ROLES:
            return None
        return Identity(distinct_id, role)

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._tickets, payload, "sha256")[:16]

    def _pseudonym(self, prefix: str, raw: object) -> str:
        digest = hmac.digest(self._names, f"{prefix}{raw}".encode(), "sha256")[:16]
        return prefix + base64.b32encode(digest).decode().rstrip("=").lower()


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return hmac.digest(secret, b"flowforge telemetry " + purpose, hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
