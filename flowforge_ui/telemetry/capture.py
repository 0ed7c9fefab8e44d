"""The receiving side of PostHog's capture protocol: named steps, the first refusal stops.

A request: size, decoding, JSON, shape, token. An event of it: shape, name in the plan, time, identity, consent,
properties. Whatever is refused is counted under a reason of a closed set. 200 is answered after the commit.
"""

from __future__ import annotations

import hashlib
import threading
import uuid as uuids
from collections import Counter
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import orjson
from sqlalchemy.exc import SQLAlchemyError

from .capture_wire import Envelope, Refused, decode, parse, unwrap
from .event import Clock, Role, milliseconds, utc_now
from .identity import Identity, IdentityMode, Pseudonyms
from .intake import Overloaded, Unavailable
from .outbox import SINKS, mask
from .reasons import REFUSALS, DropReason, RefusedReason
from .values import uuid_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from .counters import Tally
    from .intake import Intake
    from .outbox import InsertRow
    from .plan import Plan
    from .redact import Redactor

CAPTURE_PATHS = frozenset({"", "e", "i/v0/e", "batch", "capture", "track", "engage"})
"""Inside the prefix, without slashes around. The empty one is for clients that show blockers no word at all."""
FLAG_PATHS = frozenset({"flags", "decide"})

MAX_AHEAD_MS = 23 * 3_600_000
MAX_AGE_MS = 6 * 86_400_000
"""The log keeps an event 7 days and its time may lie up to 23 h ahead of when it was recorded: by the time its uuid is
forgotten, a repeat is more than 6 days old and refused, never taken for new."""

_NAMESPACE = uuids.UUID("5ce3c1de-7a5c-4a2e-9f0a-4a7f0c1d6b11")
_JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}
_ACCEPTED = b'{"status":1}'
_NO_FLAGS = orjson.dumps(
    {
        "flags": {},
        "featureFlags": {},
        "featureFlagPayloads": {},
        "errorsWhileComputingFlags": False,
        "supportedCompression": ["gzip", "gzip-js"],
        "sessionRecording": False,
        "surveys": False,
        "heatmaps": False,
        "autocapture_opt_out": True,
        "capturePerformance": False,
    }
)
RETRY_AFTER_SECONDS = 5
LARGE_TEXT = 2**20
LARGE_TEXTS = 2
"""How many texts above LARGE_TEXT bytes are worked on at a time."""
LARGE_TEXT_WAIT_SECONDS = 5.0
_AT_ONCE = nullcontext()


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """`path` is what follows the installation's prefix; header names are lower case. No address: none is needed."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaptureAnswer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: _JSON)


@dataclass(slots=True)
class _Context:
    """What the events of one request share."""

    now: int
    at: datetime
    sent_at: int | None
    pending: int
    privacy_signal: Literal["gpc", "dnt"] | None
    identities: dict[tuple[str, object], Identity | DropReason] = field(default_factory=dict)


class _Drop(Exception):
    def __init__(self, reason: DropReason) -> None:
        super().__init__(reason)
        self.reason: DropReason = reason


@dataclass(frozen=True, kw_only=True)
class Capture:
    """One endpoint. `tokens` are the keys it takes, `sinks` the sinks that are on, both asked at every request."""

    plan: Plan
    redactor: Redactor
    pseudonyms: Pseudonyms
    intake: Intake
    tokens: Callable[[], Collection[str]]
    sinks: Callable[[], Collection[str]]
    app_version: str
    identity: IdentityMode = "pseudonymous"
    respect_gpc: bool = True
    respect_dnt: bool = True
    opted_out: Callable[[str], bool] = lambda _: False
    clock: Clock = utc_now
    large_texts: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(LARGE_TEXTS))

    def handle(self, request: CaptureRequest) -> CaptureAnswer:
        """Answers within bounds whatever comes; the events it answers 200 for are committed or counted as dropped."""
        path = request.path.strip("/")
        if path not in CAPTURE_PATHS and path not in FLAG_PATHS:
            return _other(path, request.method)
        if request.method != "POST":
            return _not_posted(request.method)
        try:
            rows, tally = self._read(request, path)
            if rows or tally:
                self.intake.commit(rows, tally)
        except Refused as refused:
            return self._refuse(refused.reason)
        except Overloaded:
            return self._refuse("overloaded")
        except (Unavailable, SQLAlchemyError):
            return self._refuse("unavailable")
        return CaptureAnswer(200, _ACCEPTED if path in CAPTURE_PATHS else _NO_FLAGS)

    def _read(self, request: CaptureRequest, path: str) -> tuple[list[InsertRow], Tally]:
        """The rows of a request and what has to be counted.

        What it was read from is gone by then: many requests wait for their commit at the same time, and the memory of
        one that is still in the processor's cache is the best there is for the next.
        """
        text = decode(request.body, request.headers, request.query)
        with self._room(len(text)):
            envelope = unwrap(parse(text), request.query)
            self._check_token(envelope)
            return self._rows(envelope, request) if path in CAPTURE_PATHS else ([], Counter())

    def _room(self, size: int) -> AbstractContextManager[None]:
        """Large texts take memory several times over, so that few are worked on at a time."""
        return _AT_ONCE if size <= LARGE_TEXT else self._one_of_few()

    @contextmanager
    def _one_of_few(self) -> Iterator[None]:
        if not self.large_texts.acquire(timeout=LARGE_TEXT_WAIT_SECONDS):
            raise Overloaded
        try:
            yield
        finally:
            self.large_texts.release()

    def _refuse(self, reason: RefusedReason) -> CaptureAnswer:
        self.intake.note("refused", reason)
        status, text = REFUSALS[reason]
        return _error(status, reason, text, {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {})

    # The request

    def _check_token(self, envelope: Envelope) -> None:
        """Only this platform's own keys: this is no relay for others."""
        if any(token.startswith("phx_") for token in envelope.tokens):
            raise Refused("personal_key")
        if not envelope.tokens:
            raise Refused("no_token")
        if not envelope.tokens <= set(self.tokens()):
            raise Refused("unknown_token")

    def _rows(self, envelope: Envelope, request: CaptureRequest) -> tuple[list[InsertRow], Tally]:
        at = self.clock()
        context = _Context(
            milliseconds(at), at, _moment(envelope.sent_at), mask(self.sinks()), self._privacy_signal(request.headers)
        )
        rows: list[InsertRow] = []
        tally: Tally = Counter()
        for raw in envelope.events:
            try:
                rows.append(self._row(raw, context, tally))
            except _Drop as drop:
                tally["dropped", drop.reason] += 1
        return rows, tally

    def _privacy_signal(self, headers: Mapping[str, str]) -> Literal["gpc", "dnt"] | None:
        if self.respect_gpc and headers.get("sec-gpc", "").strip() == "1":
            return "gpc"
        if self.respect_dnt and headers.get("dnt", "").strip() == "1":
            return "dnt"
        return None

    # One event

    def _row(self, raw: object, context: _Context, tally: Tally) -> InsertRow:
        event, properties = _shape(raw)
        name = self._name(event)
        timestamp = _time(event, context)
        who = self._who(event, properties, context)
        clean = self.redactor.clean(name, properties)
        if clean.unknown:
            tally["property", "unknown"] += clean.unknown
        if clean.invalid:
            tally["property", "invalid"] += clean.invalid
        kept = clean.properties
        pending = context.pending
        if properties.get("source") == "router":
            kept["source"] = "router"
        else:
            # What the SDK captures on its own account (`capture_pageview: true`) is PostHog's business: here it would
            # be a second view of the same page.
            pending &= ~SINKS["local"]
            if not pending:
                raise _Drop("no_channel")
        kept["app_version"] = self.app_version
        kept["role"] = who.role
        identified = who.role != _ANONYMOUS and self.identity != "anonymous"
        kept["$is_identified"] = kept["$process_person_profile"] = identified
        stored = orjson.dumps(kept).decode()
        return (
            _uuid(event, name),
            name,
            who.distinct_id,
            timestamp,
            context.now,
            "browser",
            stored,
            pending,
        )

    def _name(self, event: Mapping[str, Any]) -> str:
        definition = self.plan.events.get(event["event"])
        if definition is None:
            raise _Drop("unknown_event")
        if definition.side != "browser":
            raise _Drop("wrong_side")
        return definition.name

    def _who(self, event: Mapping[str, Any], properties: Mapping[str, Any], context: _Context) -> Identity:
        """Whom the event is about, if they may be told of; worked out once for all events of a request."""
        claimed = event.get("distinct_id") or properties.get("distinct_id") or event.get("$distinct_id")
        ticket = properties.get("ticket")
        if not isinstance(claimed, str):
            raise _Drop("identity_unproven")
        key = (claimed, ticket if isinstance(ticket, str) else None)
        found = context.identities.get(key)
        if found is None:
            found = context.identities[key] = self._find(*key, context)
        if isinstance(found, Identity):
            return found
        raise _Drop(found)

    def _find(self, claimed: str, ticket: str | None, context: _Context) -> Identity | DropReason:
        who = self._identity(claimed, ticket, context.at)
        if who is None:
            return "identity_unproven"
        if context.privacy_signal is not None:
            return context.privacy_signal
        if who.role != _ANONYMOUS and self.opted_out(who.distinct_id):
            return "opted_out"
        return who if context.pending else "no_channel"

    def _identity(self, claimed: str, ticket: str | None, at: datetime) -> Identity | None:
        """The ticket's bearer, or somebody anonymous. Nobody speaks for another."""
        anonymous = uuid_text(claimed)
        if ticket is None:
            return Identity(anonymous, _ANONYMOUS) if anonymous else None
        proven = self.pseudonyms.open(ticket, at)
        if self.identity == "anonymous":  # here a ticket tells a role and nobody's name
            return Identity(anonymous, proven.role if proven else _ANONYMOUS) if anonymous else None
        return proven if proven and (anonymous or claimed == proven.distinct_id) else None


_ANONYMOUS: Role = "anonymous"
_SCALARS = (str, int, float, bool)
_NUMBERS = (int, float)
_VOLATILE = frozenset({"offset", "sent_at"})


def _shape(raw: object) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The event and its properties."""
    if not isinstance(raw, dict) or not isinstance(raw.get("event"), str):
        raise _Drop("malformed")
    properties = raw.get("properties")
    if properties is None:
        return raw, {}
    if not isinstance(properties, dict):
        raise _Drop("malformed")
    return raw, properties


def _time(event: Mapping[str, Any], context: _Context) -> int:
    """When it happened by our clock: the sender's clock only tells how long before sending that was."""
    now = context.now
    offset = event.get("offset")
    if offset is not None and type(offset) in _NUMBERS and abs(offset) < 1e15:
        at = now - int(offset)
    else:
        stated = _moment(event.get("timestamp"))
        if stated is None:
            return now
        sent_at = _moment(event["sent_at"]) if event.get("sent_at") else context.sent_at
        at = stated if sent_at is None else now + stated - sent_at
    if at > now + MAX_AHEAD_MS:
        return now
    if at < now - MAX_AGE_MS:
        raise _Drop("too_old")
    return at


def _moment(value: object) -> int | None:
    """Milliseconds of an ISO 8601 text or of the milliseconds a query string carries; None for anything else."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    if value.isdecimal() and len(value) >= 12:
        return int(value) if value.isascii() and len(value) < 16 else None
    try:
        moment = datetime.fromisoformat(value)
        return milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None


def _uuid(event: Mapping[str, Any], name: str) -> str:
    """The event's own uuid; where it has none that is one, another that a repeat of the same event gets again."""
    given = event.get("uuid")
    if valid := uuid_text(given):
        return valid
    properties = event.get("properties") or {}
    seed: list[object] = [name, given if isinstance(given, str) else None]
    for holder in (event, properties):
        seed += [(key, value) for key, value in holder.items() if isinstance(value, _SCALARS) and key not in _VOLATILE]
    return str(uuids.uuid5(_NAMESPACE, hashlib.sha256(repr(seed).encode(errors="replace")).hexdigest()))


def _other(path: str, method: str) -> CaptureAnswer:
    """posthog-js in its full form asks for its remote configuration: there is none, and it may know that at once."""
    if method == "GET" and path.startswith("array/") and path.endswith("/config"):
        return CaptureAnswer(200, _NO_FLAGS)
    return _error(404, "not_found", "There is nothing here.")


def _not_posted(method: str) -> CaptureAnswer:
    """No other site's page may read an answer, so that no CORS header is given."""
    allow = {"Allow": "POST, OPTIONS"}
    if method == "OPTIONS":
        return CaptureAnswer(204, b"", allow)
    return _error(405, "method_not_allowed", "Events are posted.", allow)


def _error(status: int, code: str, text: str, headers: Mapping[str, str] | None = None) -> CaptureAnswer:
    return CaptureAnswer(status, orjson.dumps({"code": code, "error": text}), {**_JSON, **(headers or {})})
