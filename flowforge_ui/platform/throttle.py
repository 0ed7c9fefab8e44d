"""Failed logins slow down whoever guesses, and nobody else.

Every attempt is entered before the password is looked at and taken out again when it was right, so what stands in
the table are failures, and attempts at the same moment count each other. Within a window of 15 minutes:

- A browser that has signed in to an account before proves it by its device cookie (signed, OWASP's "device cookie")
  and has 10 failures for that account to itself. What others do, to the account or from the same address, does
  not touch it: an attacker cannot lock out the owner, and not the plant behind the attacker's own NAT address.
- All other browsers together have 10 failures an account, and 200 an address. A success takes back the failures of
  that account at that address, so a shift that signs in with many typing errors does not add up.

Accounts (people type passwords into the wrong field) and addresses are kept as keyed hashes only.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, delete, insert, select

from flowforge_ui.database import serialise

from . import tables
from .errors import TooManyAttempts
from .values import new_id

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

WINDOW = timedelta(minutes=15)
PER_DEVICE = 10
PER_ACCOUNT = 10
PER_ADDRESS = 200
DEVICE_LIFETIME = timedelta(days=365)
DEVICES_PER_COOKIE = 5  # accounts that one browser is remembered for

_c = tables.login_attempts.c


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that may be made. The three keys are hashes; `device` is empty for a browser not known here."""

    id: str
    account: str
    address: str
    device: str


class Throttle:
    """`key` is the installation's own; with another one, device cookies and counts mean nothing."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def admit(
        self, tx: Connection, now: datetime, *, account: str, address: str | None, cookie: str = "", device: str = ""
    ) -> Attempt:
        """Enter an attempt on `account` (a normalised user name, or any text that names what is guessed).

        `device` names a browser that is known for certain (a session), `cookie` one that has to prove itself.

        Raises:
            TooManyAttempts: this one is not to be looked at.
        """
        known = self._hash("device", device) if device else self._known_device(now, account, cookie)
        attempt = Attempt(new_id(), self._hash("account", account), self._address(address), known)
        serialise(tx, _lock_number(attempt.account))
        if known:
            _refuse_at(tx, now, PER_DEVICE, and_(_c.account == attempt.account, _c.device == known))
        else:
            serialise(tx, _lock_number(attempt.address))
            _refuse_at(tx, now, PER_ACCOUNT, and_(_c.account == attempt.account, _c.device == ""))
            _refuse_at(tx, now, PER_ADDRESS, and_(_c.address == attempt.address, _c.device == ""))
        tx.execute(
            insert(tables.login_attempts).values(
                id=attempt.id, account=attempt.account, address=attempt.address, device=known, at=now
            )
        )
        return attempt

    def succeeded(self, tx: Connection, attempt: Attempt) -> None:
        """The password was right: neither this attempt nor the typing errors before it count."""
        same = and_(_c.account == attempt.account, _c.device == attempt.device)
        if not attempt.device:
            same = and_(same, _c.address == attempt.address)
        tx.execute(delete(tables.login_attempts).where(same))

    def remember(self, now: datetime, account: str, cookie: str = "") -> str:
        """The device cookie for a browser that has just signed in to `account`, given the one it has."""
        others = [mark for mark in cookie.split("~") if mark and not self._mark_opens(now, account, mark)]
        fresh = f"{secrets.token_hex(8)}.{int(now.timestamp())}"
        return "~".join([f"{fresh}.{self._sign(account, fresh)}", *others[: DEVICES_PER_COOKIE - 1]])

    def _known_device(self, now: datetime, account: str, cookie: str) -> str:
        for mark in cookie[:1024].split("~")[:DEVICES_PER_COOKIE]:
            if self._mark_opens(now, account, mark):
                return self._hash("device", mark)
        return ""

    def _mark_opens(self, now: datetime, account: str, mark: str) -> bool:
        fresh, _, signature = mark.rpartition(".")
        if not hmac.compare_digest(self._sign(account, fresh).encode(), signature.encode(errors="replace")):
            return False
        issued = datetime.fromtimestamp(int(fresh.partition(".")[2]), UTC)
        return now - issued < DEVICE_LIFETIME

    def _sign(self, account: str, fresh: str) -> str:
        return self._hash("device cookie", f"{account}\n{fresh}")

    def _address(self, address: str | None) -> str:
        return self._hash("address", canonical_address(address))

    def _hash(self, kind: str, value: str) -> str:
        return hmac.digest(self._key, f"{kind}\n{value}".encode(errors="replace"), "sha256")[:16].hex()


def canonical_address(address: str | None) -> str:
    """One text for one source: IPv4-mapped is IPv4, IPv6 is its /64 (what one customer has); else empty."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def prune(tx: Connection, now: datetime) -> int:
    """Delete what no window reaches any more; gives how many."""
    return tx.execute(delete(tables.login_attempts).where(_c.at <= now - WINDOW)).rowcount


def _refuse_at(tx: Connection, now: datetime, limit: int, which: ColumnElement[bool]) -> None:
    oldest = tx.execute(
        select(_c.at).where(which, _c.at > now - WINDOW).order_by(_c.at.desc()).offset(limit - 1).limit(1)
    ).scalar()
    if oldest is not None:
        raise TooManyAttempts(max(1, ceil((oldest + WINDOW - now).total_seconds())))


def _lock_number(key: str) -> int:
    return int.from_bytes(bytes.fromhex(key)[:8], signed=True)
