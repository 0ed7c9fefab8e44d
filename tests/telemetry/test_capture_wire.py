"""The capture endpoint as SDKs speak to it: paths, encodings, shapes, limits, keys, answers."""

from __future__ import annotations

import base64
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine

from flowforge_ui.telemetry.capture_wire import MAX_BODY, MAX_DECODED, MAX_EVENTS, MAX_VALUES
from flowforge_ui.telemetry.plan import Plan
from tests.conftest import FakeClock
from tests.support.capture import ANONYMOUS, KEY, LOCAL, Endpoint, endpoint, view


@pytest.fixture
def site(engine: Engine, plan: Plan, clock: FakeClock) -> Endpoint:
    return endpoint(engine, plan, clock)


def uuids(site: Endpoint) -> list[str]:
    return [event.uuid for event in site.stored]


def batch(*events: object, **outer: object) -> dict[str, Any]:
    return {"api_key": KEY, "batch": list(events), **outer}


def packed(text: bytes) -> bytes:
    """The same bytes each time: tests are named after them."""
    return gzip.compress(text, mtime=0)


# Paths, methods, answers


@pytest.mark.parametrize(
    "path", ["/e/", "/e", "/i/v0/e/", "/batch", "/batch/", "/capture/", "/track/", "/engage/", "/", ""]
)
def test_every_path_of_the_protocol_takes_events(site: Endpoint, path: str) -> None:
    answer = site.post(batch(view(1)), path)
    assert (answer.status, answer.body) == (200, b'{"status":1}')
    assert answer.headers == {"Content-Type": "application/json", "Cache-Control": "no-store"}
    assert uuids(site) == [view(1)["uuid"]]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/e/", 405),
        ("HEAD", "/e/", 405),
        ("PUT", "/batch/", 405),
        ("OPTIONS", "/e/", 204),
        ("POST", "/s/", 404),
        ("POST", "/elsewhere", 404),
        ("GET", "/array/phc_key/config", 200),
        ("GET", "/array/phc_key/config.js", 404),
        ("GET", "/static/recorder.js", 404),
    ],
)
def test_other_methods_and_paths(site: Endpoint, method: str, path: str, status: int) -> None:
    answer = site.post(batch(view(1)), path, method=method)
    assert answer.status == status
    assert (answer.headers.get("Allow") == "POST, OPTIONS") is (status in {204, 405})
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert site.stored == []


@pytest.mark.parametrize("path", ["/flags/", "/flags", "/decide/"])
def test_there_are_no_flags_and_they_say_whether_the_key_is_right(site: Endpoint, path: str) -> None:
    answer = site.post({"api_key": KEY, "distinct_id": "x"}, path)
    assert answer.status == 200
    assert json.loads(answer.body)["featureFlags"] == {}
    assert site.status({"api_key": "phc_other", "distinct_id": "x"}, path) == 401
    assert site.counts == {}


# Encodings: told from the bytes, whatever they claim


def encodings() -> Iterator[tuple[str, bytes, dict[str, str], dict[str, str]]]:
    text = json.dumps(batch(view(1))).encode()
    small, b64 = packed(text), base64.b64encode(text)
    yield "plain", text, {}, {}
    yield "byte order mark", b"\xef\xbb\xbf" + text, {}, {}
    yield "gzip, unsaid", small, {"content-type": "text/plain"}, {}
    yield "gzip, said", small, {"content-encoding": "gzip"}, {}
    yield "gzip, in the query", small, {}, {"compression": "gzip-js"}
    yield "gzip said, but undone on the way", text, {"content-encoding": "gzip"}, {}
    yield "deflate", zlib.compress(text), {"content-encoding": "deflate"}, {}
    yield "form, base64", b"data=" + quote(b64, safe="").encode(), {}, {}
    yield "form, base64 with plain plus signs", b"data=" + b64.replace(b"=", b"%3D"), {}, {"compression": "base64"}
    yield "form, more fields", b"data=" + quote(b64, safe="").encode() + b"&compression=base64", {}, {}
    yield "form, JSON", b"data=" + quote(text, safe="").encode(), {}, {}
    yield "form, gzip in base64", b"data=" + quote(base64.b64encode(small), safe="").encode(), {}, {}
    yield "bare base64", b64, {}, {"compression": "base64"}


@pytest.mark.parametrize(("body", "headers", "query"), [pytest.param(*rest, id=name) for name, *rest in encodings()])
def test_every_encoding(site: Endpoint, body: bytes, headers: dict[str, str], query: dict[str, str]) -> None:
    assert site.status(body, headers=headers, query=query) == 200
    assert uuids(site) == [view(1)["uuid"]]


@pytest.mark.parametrize(
    ("body", "headers", "status", "reason"),
    [
        (packed(b"{}")[:-9], {}, 400, "bad_encoding"),
        (b"\x1f\x8b" + b"\x00" * 40, {}, 400, "bad_encoding"),
        (b"{}", {"content-encoding": "br"}, 400, "bad_encoding"),
        (b"{}", {"content-encoding": "deflate"}, 400, "bad_encoding"),
        (b"data=%%%", {}, 400, "bad_encoding"),
        (b"", {}, 400, "bad_json"),
        (b"{", {}, 400, "bad_json"),
        (b"\xff\xfe{}", {}, 400, "bad_json"),
        (b"[" * 100_000, {}, 400, "bad_json"),
        (b'{"a":' * 100_000, {}, 400, "bad_json"),
        (b"1" * 6000, {}, 400, "bad_shape"),
        (b"null", {}, 400, "bad_shape"),
        (b'"text"', {}, 400, "bad_shape"),
        (b'{"api_key": "phc_key", "batch": {}}', {}, 400, "bad_shape"),
        (b" " * (MAX_BODY + 1), {}, 413, "too_large"),
        (packed(b" " * (MAX_DECODED + 1)), {}, 413, "too_large"),
        (b"[" + b"[]," * (MAX_VALUES // 2) + b"1]", {}, 413, "too_large"),
        (b"[" + b"[]," * (MAX_VALUES // 2 - 1) + b"1]", {}, 413, "too_many_events"),
        (packed(packed(b"{}")), {}, 400, "bad_json"),
        (json.dumps(batch(*([1] * (MAX_EVENTS + 1)))).encode(), {}, 413, "too_many_events"),
        (json.dumps([1] * 10_000).encode(), {}, 413, "too_many_events"),
        (b'{"batch": []}', {}, 401, "no_token"),
    ],
)
def test_what_cannot_be_read_is_refused_and_counted(
    site: Endpoint, body: bytes, headers: dict[str, str], status: int, reason: str
) -> None:
    answer = site.post(body, headers=headers)
    assert (answer.status, json.loads(answer.body)["code"]) == (status, reason)
    assert sorted(json.loads(answer.body)) == ["code", "error"]
    assert (site.stored, site.refused) == ([], {reason: 1})


def test_a_bomb_is_not_unpacked(site: Endpoint) -> None:
    """Memory stays within bounds because the rest is never asked for."""
    packer = zlib.compressobj(1, wbits=31)
    block = b"\x00" * 2**20
    bomb = b"".join(packer.compress(block) for _ in range(128)) + packer.flush()
    assert len(bomb) < MAX_BODY
    tracemalloc.start()
    try:
        assert site.status(bomb) == 413
        assert tracemalloc.get_traced_memory()[1] < 3 * MAX_DECODED
    finally:
        tracemalloc.stop()


def test_what_strict_parsers_refuse_is_read_event_by_event(site: Endpoint) -> None:
    """A string cut in the middle of a character, NaN, a number without end: each costs only itself."""
    text = json.dumps(batch(view(1), view(2), view(3)))
    text = text.replace('"nav_type": "push"', '"title": "\\ud83d", "load_ms": NaN, "view_index": ' + "9" * 5000, 1)
    assert site.status(text.encode()) == 200
    assert uuids(site) == [view(number)["uuid"] for number in (1, 2, 3)]
    assert "load_ms" not in site.stored[0].properties


def test_of_two_equal_keys_the_last_counts_for_the_check_and_for_the_event(site: Endpoint) -> None:
    event = json.dumps(view(1)).replace('"token": "phc_key"', '"token": "phc_key", "token": "phc_other"')
    assert site.status(b"[" + event.encode() + b"]") == 401


# Shapes


@pytest.mark.parametrize(
    "body",
    [
        view(1),
        [view(1)],
        batch(view(1)),
        {"token": KEY, "batch": [view(1, token=None)]},
        {"api_key": f" {KEY}\n", "batch": [view(1, token=None)]},
        {**view(1, token=None), "api_key": KEY},
        [{**view(1, token=None), "token": LOCAL}],
        {**view(1, distinct_id=ANONYMOUS), "distinct_id": ANONYMOUS},
    ],
)
def test_every_shape(site: Endpoint, body: object) -> None:
    assert site.status(body) == 200
    assert uuids(site) == [view(1)["uuid"]]


def test_the_key_may_stand_in_the_query(site: Endpoint) -> None:
    assert site.status([view(1, token=None)], query={"token": KEY}) == 200
    assert len(site.stored) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([view(1, token="phc_other")], "unknown_token"),
        ([view(1), view(2, token="phc_other")], "unknown_token"),
        (batch(view(1, token="phc_other")), "unknown_token"),
        ({"api_key": KEY.upper(), "batch": [view(1, token=None)]}, "unknown_token"),
        ({"api_key": "x" * 10_000, "batch": [view(1, token=None)]}, "unknown_token"),
        ([view(1, token=None)], "no_token"),
        ([view(1, token=7)], "no_token"),
        ({"api_key": "phx_secret", "batch": [view(1)]}, "personal_key"),
        ([view(1, token="phx_secret")], "personal_key"),
    ],
)
def test_this_is_no_relay_for_others(site: Endpoint, body: object, code: str) -> None:
    answer = site.post(body)
    assert (answer.status, json.loads(answer.body)["code"]) == (401, code)
    assert b"phx_secret" not in answer.body
    assert (site.stored, site.counts) == ([], {})
