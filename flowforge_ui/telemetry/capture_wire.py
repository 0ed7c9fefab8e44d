"""PostHog's capture protocol as SDKs speak it: from bytes to raw events, within bounds. Pure.

posthog-js sends gzip without saying so, forms with base64, plain JSON, bare arrays; posthog-python sends JSON with a
true Content-Encoding. What a body is, is therefore told from its first bytes and only then from what it claims.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_to_bytes

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .reasons import RefusedReason

MAX_BODY = 5 * 2**20
MAX_DECODED = 10 * 2**20
MAX_EVENTS = 1000
MAX_VALUES = 200_000
"""In one request; the largest batches that SDKs send have half as many."""
_MAX_REPAIRED = 2**20
_SMALL = 2**16


class Refused(Exception):
    """A request that is refused as a whole."""

    def __init__(self, reason: RefusedReason) -> None:
        super().__init__(reason)
        self.reason: RefusedReason = reason


@dataclass(frozen=True, slots=True)
class Envelope:
    """A request's events as they came, the tokens it names, and when its sender says it sent it."""

    tokens: frozenset[str]
    events: list[Any]
    sent_at: object


def decode(body: bytes, headers: Mapping[str, str], query: Mapping[str, str]) -> bytes:
    """The JSON text of a body; raises Refused (too_large, bad_encoding)."""
    if len(body) > MAX_BODY:
        raise Refused("too_large")
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip", "deflate"}:
        raise Refused("bad_encoding")
    body = _inflate(body, deflate=encoding == "deflate")
    if body.startswith(b"data="):
        body = _inflate(_form(body))
    elif query.get("compression") == "base64":
        body = _inflate(_base64(body))
    return body.removeprefix(b"\xef\xbb\xbf")


def parse(text: bytes) -> object:
    """The value of a JSON text; raises Refused (bad_json, too_large).

    A little JSON makes many objects (10 MB of empty lists are 200 MB), so that they are counted before they are made.

    Browsers cut strings in the middle of a character and Python writes NaN; the strict parser refuses both, so what
    it refuses is read again by the lenient one. No harm comes from it: only what the plan's closed types let through
    is kept.
    """
    if len(text) > _SMALL and sum(map(text.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise Refused("too_large")
    try:
        return cast("object", orjson.loads(text))
    except orjson.JSONDecodeError:
        pass
    if len(text) > _MAX_REPAIRED:
        raise Refused("bad_json")
    try:
        return cast("object", json.loads(text, parse_constant=lambda _: None, parse_int=_integer))
    except (ValueError, RecursionError):
        raise Refused("bad_json") from None


def unwrap(parsed: object, query: Mapping[str, str]) -> Envelope:
    """The events of one of the three shapes: one event, an array, `{api_key, batch, sent_at}`.

    Raises Refused (bad_shape, too_many_events).
    """
    outer: dict[str, Any] = {}
    if isinstance(parsed, list):
        events = parsed
    elif isinstance(parsed, dict):
        outer = parsed
        events = outer.get("batch", [outer])
    else:
        raise Refused("bad_shape")
    if not isinstance(events, list):
        raise Refused("bad_shape")
    if len(events) > MAX_EVENTS:
        raise Refused("too_many_events")
    tokens = {_token_of(outer), _token_of(query), *(_event_token(event) for event in events)}
    sent_at = outer.get("sent_at") or query.get("sent_at") or query.get("_")
    return Envelope(frozenset(token for token in tokens if token), events, sent_at)


def _inflate(body: bytes, *, deflate: bool = False) -> bytes:
    """Never more than MAX_DECODED bytes, however much is promised; what is not compressed stays as it is."""
    if not deflate and body[:2] != b"\x1f\x8b":
        return body
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS if deflate else zlib.MAX_WBITS | 16)
    try:
        inflated = inflater.decompress(body, MAX_DECODED)
    except zlib.error:
        raise Refused("bad_encoding") from None
    if inflater.eof:
        return inflated
    raise Refused("too_large" if len(inflated) >= MAX_DECODED else "bad_encoding")


def _form(body: bytes) -> bytes:
    """The field `data`: base64, or JSON as it is."""
    data = unquote_to_bytes(body[len(b"data=") :].partition(b"&")[0])
    return data if data[:1] in {b"{", b"["} else _base64(data)


def _base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text.replace(b" ", b"+").strip(), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("bad_encoding") from None


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) < 20 else None


def _token_of(holder: Mapping[str, Any]) -> str | None:
    token = holder.get("api_key") or holder.get("token")
    return token.strip() if isinstance(token, str) else None


def _event_token(event: object) -> str | None:
    if not isinstance(event, dict):
        return None
    token = _token_of(event)
    if token is None and isinstance(properties := event.get("properties"), dict):
        token = _token_of(properties)
    return token
