"""The sender token: a keyed hash of an address that nobody can turn back, not even us after a week.

There are only 2**32 IPv4 addresses, so a plain hash is an encoding. The token is HMAC-SHA-256 under a key that lives in
a file of its own (0600), outside the database; every week the key is replaced by ``HMAC(key, "ratchet")`` and the old
one is gone. Whatever goes wrong, the answer is "no token", never the address.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
import stat
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

log = logging.getLogger(__name__)

WEEK = 7 * 24 * 3600
UNFINISHED_S = 60.0
# A clock that claims to be centuries ahead must not spin the ratchet for ever.
MAX_WEEKS_AT_ONCE = 52 * 50


@dataclass(frozen=True, slots=True)
class Token:
    """``value``: 32 hex digits; ``epoch``: number of the week whose key made it."""

    value: str
    epoch: int


def canonical(address: str | None) -> bytes | None:
    """One spelling for one sender: family byte and packed address, IPv6 cut to /64; None for what names nobody."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address((address or "").strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified or parsed.is_multicast:
        return None
    if isinstance(parsed, IPv6Address):
        return b"\x06" + parsed.packed[:8]
    return b"\x04" + parsed.packed


class Keyring:
    """Holds the present week's key; ``token`` never raises and never keeps what it was given."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._key: bytes | None = None
        self._epoch = 0

    def token(self, address: str | None) -> Token | None:
        """The token of a sender's address, or None (no address that names anybody, or no key)."""
        packed = canonical(address)
        if packed is None:
            return None
        try:
            with self._lock:
                key, epoch = self._current()
        except (OSError, ValueError) as error:
            # The reason may be said, the address may not.
            log.warning("no sender token: the key file cannot be used (%s)", type(error).__name__)
            return None
        return Token(hmac.new(key, packed, hashlib.sha256).hexdigest()[:32], epoch)

    def turn(self) -> None:
        """Replace a key whose week is over though nobody sends; of unfinished files that may hold one none stays."""
        with self._lock, suppress(OSError, ValueError):
            self._sweep()
            if self._key is not None or self._path.exists():
                self._current()

    def _sweep(self) -> None:
        for path in self._path.parent.glob(f"{self._path.name}.*.new"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > UNFINISHED_S:  # else a process may be at it
                    path.unlink()

    def _current(self) -> tuple[bytes, int]:
        now = int(self._clock().timestamp()) // WEEK
        if self._key is None:
            self._key, self._epoch = self._read(now)
        else:
            self._look_at_mode()
        if self._epoch < now:
            if now - self._epoch > MAX_WEEKS_AT_ONCE:
                raise ValueError("the clock is too far ahead")
            for _ in range(now - self._epoch):
                self._key = hmac.new(self._key, b"ratchet", hashlib.sha256).digest()
            self._epoch = now
            self._write(self._key, now)
        return self._key, self._epoch

    def _look_at_mode(self) -> None:
        with suppress(FileNotFoundError):
            if stat.S_IMODE(self._path.stat().st_mode) & 0o077:
                raise ValueError("others may read the key")

    def _read(self, now: int) -> tuple[bytes, int]:
        try:
            self._look_at_mode()
            held = json.loads(self._path.read_text("ascii"))
            key, epoch = bytes.fromhex(held["key"]), held["epoch"]
        except FileNotFoundError:
            self._write(secrets.token_bytes(32), now, first=True)
            return self._read(now)
        except (KeyError, TypeError, AttributeError):
            raise ValueError("no key in the key file") from None
        if len(key) != 32 or not isinstance(epoch, int):
            raise ValueError("no key in the key file")
        return key, epoch

    def _write(self, key: bytes, epoch: int, *, first: bool = False) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump({"epoch": epoch, "key": key.hex()}, file)
            file.flush()
            os.fsync(file.fileno())
        if not first:
            fresh.replace(self._path)  # from the same key each process makes the same next one
            return
        with suppress(FileExistsError):
            os.link(fresh, self._path)  # of several processes the first one's key stands
        fresh.unlink()
