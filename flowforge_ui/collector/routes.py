"""The collector's routes: parse, call, answer."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from flask import Request, Response, request

from flowforge_ui.collector.fleet import Fleet
from flowforge_ui.collector.limits import Buckets, Limiter
from flowforge_ui.collector.page import Page
from flowforge_ui.collector.public import for_the_public
from flowforge_ui.collector.receive import MAX_BYTES, Answer, Incoming, Receiver, iso
from flowforge_ui.collector.store import PingStore

PING_PATHS = ("/", "/ping")
COOKIE = "ff_fleet"
MAX_BUNDLE = 256 * 1024
MAX_BUNDLE_PINGS = 100


@dataclass(frozen=True)
class Collector:
    """What the app is made of; ``address_of`` tells the client's address of a request, or None."""

    store: PingStore
    receiver: Receiver
    access_token: str
    public: bool
    clock: Callable[[], datetime]
    address_of: Callable[[Request], str | None]
    dist: Path


class Routes:
    """One method a route; ``table`` lists them."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._page = Page(collector.dist)
        self._doors = Limiter(sender=Buckets(rate=0.1, burst=10), network=Buckets(rate=1, burst=60))

    def table(self) -> list[tuple[str, str, Callable[..., Response]]]:
        """Method, rule, handler."""
        return [
            *(("POST", path, self.receive) for path in PING_PATHS),
            ("POST", "/bundle", self.receive_bundle),
            ("GET", "/", self.fleet_page),
            ("GET", "/assets/<path:name>", self.asset),
            ("POST", "/access", self.access),
            ("GET", "/fleet.json", self.fleet),
            ("GET", "/public.json", self.public),
            ("GET", "/installations/<instance_id>", self.show),
            ("DELETE", "/installations/<instance_id>", self.erase),
            ("GET", "/healthz", self.health),
        ]

    def receive(self) -> Response:
        answer = self.take(request)
        return as_json(answer.body, answer.status, answer.retry_after)

    def take(self, asked: Request) -> Answer:
        """A ping, whoever dispatched it."""
        return self._collector.receiver.receive(
            Incoming(
                body=asked.stream.read(MAX_BYTES + 1),
                content_type=asked.environ.get("CONTENT_TYPE", ""),
                content_encoding=asked.environ.get("HTTP_CONTENT_ENCODING", ""),
                address=self._collector.address_of(asked),
            )
        )

    def receive_bundle(self) -> Response:
        """Pings carried here from a platform that cannot reach us: one a line, each answered on its own."""
        data = request.stream.read(MAX_BUNDLE + 1)
        lines = [line for line in data.split(b"\n") if line.strip()]
        if len(data) > MAX_BUNDLE or len(lines) > MAX_BUNDLE_PINGS:
            return as_error(413, "too_large", f"A bundle has at most {MAX_BUNDLE_PINGS} pings, {MAX_BUNDLE} bytes.")
        if not lines:
            return as_error(400, "invalid_bundle", "A bundle has one ping a line; this one has none.")
        address = self._collector.address_of(request)
        answers = [
            self._collector.receiver.receive(Incoming(body=line, address=address, carried=True)) for line in lines
        ]
        return as_json({"pings": [{"status": each.status, **each.body} for each in answers]})

    def health(self) -> Response:
        return as_json({"status": "ok"})

    def fleet_page(self) -> Response:
        view = "fleet" if self._has_access() else "public" if self._collector.public else "access"
        return self._page.render(view)

    def asset(self, name: str) -> Response:
        found = self._page.asset(name, request.headers.get("Accept-Encoding", ""))
        return found or as_error(404, "not_found", "No such file.")

    def access(self) -> Response:
        collector = self._collector
        wait = self._doors.wait(collector.address_of(request), collector.receiver.monotonic())
        if wait:
            return as_error(429, "too_many", "Too many tries; please wait.", int(wait) + 1)
        try:
            body = orjson.loads(request.stream.read(MAX_BYTES) if request.is_json else b"{}")
        except orjson.JSONDecodeError:
            body = None
        token = body.get("token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not _same(token, collector.access_token):
            return as_error(403, "wrong_token", "That is not the access token.")
        answer = as_json({"view": "fleet"})
        value = _cookie(collector.access_token)
        answer.set_cookie(COOKIE, value, httponly=True, samesite="Strict", secure=request.is_secure)
        return answer

    def fleet(self) -> Response:
        if not self._has_access():
            return as_error(401, "no_access", "The access token is needed.")
        return as_json(Fleet(self._collector.store, self._collector.clock()).dashboard())

    def public(self) -> Response:
        if not self._collector.public:
            return as_error(404, "not_public", "This fleet is not public.")
        return as_json(for_the_public(Fleet(self._collector.store, self._collector.clock()).dashboard()))

    def show(self, instance_id: str) -> Response:
        with self._collector.store.reading() as tx:
            row, pings = self._collector.store.held(tx, instance_id)
            copies = self._collector.store.copies(tx, instance_id)
        if row is None or not _owns(row["secret_hash"]):
            return _unknown()
        return as_json(_held(row, pings, copies))

    def erase(self, instance_id: str) -> Response:
        if self._collector.receiver.writer.spooled():
            # Loaded later, they would bring back what was erased.
            return as_error(503, "unavailable", "Pings wait to be kept; try again in a moment.", 10)
        with self._collector.store.writing() as tx:
            row, _ = self._collector.store.held(tx, instance_id)
            if row is None or not _owns(row["secret_hash"]):
                return _unknown()
            self._collector.store.erase(tx, instance_id)
        self._collector.receiver.writer.forget(instance_id)
        self._collector.store.scrub()
        return Response(status=204)

    def _has_access(self) -> bool:
        right = self._collector.access_token
        return _same(request.cookies.get(COOKIE, ""), _cookie(right)) or _same(_bearer(), right)


def _bearer() -> str:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def _cookie(access_token: str) -> str:
    return hmac.new(access_token.encode(), b"fleet", hashlib.sha256).hexdigest()


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), right.encode())


def _owns(secret_hash: object) -> bool:
    """Whether the request carries the secret whose hash came with the installation's first ping."""
    given = hashlib.sha256(_bearer().encode("utf-8", "surrogatepass")).hexdigest()
    return isinstance(secret_hash, str) and hmac.compare_digest(secret_hash, given)


def _unknown() -> Response:
    """One answer for a wrong secret, no secret and an installation nobody knows: nothing to be learned from it."""
    return as_error(404, "unknown", "No installation is known under this identifier and secret.")


def _held(row: dict[str, object], pings: list[dict[str, object]], copies: list[dict[str, object]]) -> dict[str, object]:
    for each in pings:
        each["payload"] = orjson.loads(str(each["payload"]))
        for name in ("received_at", "expires_at"):
            each[name] = iso(int(str(each[name])))
    for name in ("first_seen", "last_seen"):
        row[name] = iso(int(str(row[name])))
    for each in copies:
        each["last_seen"] = iso(int(str(each["last_seen"])))
    return {"installation": row, "pings": pings, "copies": copies}


def as_json(body: object, status: int = 200, retry_after: int | None = None) -> Response:
    """A JSON answer."""
    response = Response(orjson.dumps(body), status, mimetype="application/json")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def as_error(status: int, code: str, sentence: str, retry_after: int | None = None) -> Response:
    """The one shape of every error."""
    return as_json({"code": code, "error": sentence}, status, retry_after)
