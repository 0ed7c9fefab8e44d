"""Receiving a ping as named steps; the first refusal stops it, and says why from a closed set.

size -> JSON -> plan -> rate -> sender token -> kept (database or spool)
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flowforge_ui.collector import ping as rules
from flowforge_ui.collector.keeping import Kept
from flowforge_ui.collector.keyring import Keyring
from flowforge_ui.collector.limits import Limiter
from flowforge_ui.collector.writer import Overloaded, Unavailable, Writer
from flowforge_ui.telemetry.wire import PingPlan, Reading, WireError

MAX_BYTES = 64 * 1024
REASONS = ("too_large", "encoding", "charset", "invalid", "rate", "overloaded", "unavailable")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,63}\Z")
_UNKNOWN_NAMES_A_PING = 20


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request: ``body`` holds at most MAX_BYTES + 1 bytes, ``address`` is the client's as proxies allow to say.

    ``carried``: the client is not the sender, so no token is made of its address.
    """

    body: bytes
    content_type: str = ""
    content_encoding: str = ""
    address: str | None = None
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body and the seconds of a Retry-After."""

    status: int
    body: dict[str, object]
    retry_after: int | None = None


class _Refused(Exception):
    def __init__(self, reason: str, answer: Answer) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


@dataclass
class Receiver:
    """Everything a ping passes through; one for the process."""

    plan: PingPlan
    keyring: Keyring
    limiter: Limiter
    writer: Writer
    clock: Callable[[], datetime]
    retention_days: int
    monotonic: Callable[[], float] = field(default=time.monotonic)

    def receive(self, incoming: Incoming) -> Answer:
        """Take a ping: 202 new, 200 a repeat, else what is wrong."""
        try:
            body = _inflated(incoming)
            reading = self._read(body, incoming.content_type)
            self._let_pass(incoming.address)
            token = None if incoming.carried else self.keyring.token(incoming.address)
            ping = rules.make(
                reading,
                body,
                now=self.clock(),
                retention_days=self.retention_days,
                token=(token.value, token.epoch) if token else None,
            )
            kept = self._keep(ping)
        except _Refused as refusal:
            self.writer.tally(refused=refusal.reason)
            return refusal.answer
        self.writer.tally(unknown=[each for each in reading.unknown if _NAME.match(each)][:_UNKNOWN_NAMES_A_PING])
        answer: dict[str, object] = {
            "receipt": kept.receipt,
            "sha256": kept.sha256,
            "received_at": iso(kept.received_at),
            "expires_at": iso(kept.expires_at),
        }
        return Answer(200 if kept.repeated else 202, answer)

    def _read(self, body: bytes, content_type: str) -> Reading:
        _, _, parameters = content_type.lower().partition(";")
        if "charset" in parameters and not re.search(r"charset\s*=\s*\"?(utf-?8|us-ascii)\"?\s*(;|$)", parameters):
            raise _Refused("charset", _error(415, "charset", "A ping is UTF-8."))
        try:
            return self.plan.read(body)
        except WireError as wrong:
            raise _Refused("invalid", _error(400, "invalid_ping", f"The ping cannot be taken: {wrong}.")) from None

    def _let_pass(self, address: str | None) -> None:
        wait = self.limiter.wait(address, self.monotonic())
        if wait:
            seconds = max(1, round(wait + 0.5))
            raise _Refused("rate", _error(429, "too_many", "Too many pings; please wait.", seconds))

    def _keep(self, ping: rules.Ping) -> Kept:
        try:
            return self.writer.keep(ping)
        except (Overloaded, Unavailable) as error:
            reason = "overloaded" if isinstance(error, Overloaded) else "unavailable"
            answer = _error(503, reason, "The ping cannot be kept right now.", error.retry_after)
            raise _Refused(reason, answer) from None


def iso(ms: int) -> str:
    """ISO 8601 UTC with milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _inflated(incoming: Incoming) -> bytes:
    too_large = _Refused("too_large", _error(413, "too_large", f"A ping has at most {MAX_BYTES} bytes."))
    if len(incoming.body) > MAX_BYTES:
        raise too_large
    encoding = incoming.content_encoding.strip().lower()
    if encoding in ("", "identity"):
        return incoming.body
    if encoding not in ("gzip", "x-gzip"):
        raise _Refused("encoding", _error(415, "encoding", "A ping is sent plain or gzip."))
    inflate = zlib.decompressobj(wbits=31)
    try:
        plain = inflate.decompress(incoming.body, MAX_BYTES + 1)
    except zlib.error:
        plain = None
    if plain is not None and len(plain) > MAX_BYTES:
        raise too_large
    if plain is None or not inflate.eof or inflate.unused_data:
        raise _Refused("encoding", _error(400, "encoding", "The gzip data is not whole."))
    return plain


def _error(status: int, code: str, sentence: str, retry_after: int | None = None) -> Answer:
    return Answer(status, {"code": code, "error": sentence}, retry_after)
