"""Requests that change something are refused unless this page of this session made them."""

from __future__ import annotations

import pytest

from flowforge_ui.web.csrf import CsrfReason, check, token_for

SECRET = b"s" * 32
TOKEN = token_for(SECRET, "session-1")
BASE = "https://flow.example"


def verdict(host: str = "flow.example", base_url: str = BASE, **headers: str) -> CsrfReason | None:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return check(named, host=host, base_url=base_url, expected=TOKEN)


def test_a_token_belongs_to_one_session_of_one_installation() -> None:
    assert token_for(SECRET, "session-1") == TOKEN
    assert token_for(SECRET, "session-2") != TOKEN
    assert token_for(b"t" * 32, "session-1") != TOKEN


def test_the_right_token_passes() -> None:
    assert verdict(X_CSRF_Token=TOKEN) is None
    assert verdict(X_CSRF_Token=TOKEN, Sec_Fetch_Site="same-origin", Origin=BASE) is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", CsrfReason.MISSING),
        (TOKEN[:-1], CsrfReason.WRONG),
        (TOKEN.upper(), CsrfReason.WRONG),
        (TOKEN + " ", CsrfReason.WRONG),
        ("é", CsrfReason.WRONG),
    ],
)
def test_any_other_token_does_not(given: str, reason: CsrfReason) -> None:
    assert verdict(X_CSRF_Token=given) is reason


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_the_browser_says_it_comes_from_elsewhere(site: str) -> None:
    assert verdict(X_CSRF_Token=TOKEN, Sec_Fetch_Site=site) is CsrfReason.CROSS_SITE


@pytest.mark.parametrize(
    ("origin", "host", "base_url", "own"),
    [
        ("https://flow.example", "flow.example", BASE, True),
        ("https://flow.example", "backend:3000", BASE, True),  # behind a proxy that does not pass the host on
        ("http://localhost:3000", "localhost:3000", "http://127.0.0.1:3000", True),
        ("http://192.168.1.7:3000", "192.168.1.7:3000", "http://127.0.0.1:3000", True),
        ("https://evil.example", "flow.example", BASE, False),
        ("https://evil.example", "evil.example", BASE, False),  # a name pointed at this machine
        ("https://flow.example.evil.example", "flow.example", BASE, False),
        ("https://flow.example:8443", "flow.example", BASE, False),
        ("null", "flow.example", BASE, False),
        ("https://[bad", "flow.example", BASE, False),
    ],
)
def test_the_origin_has_to_be_this_server(origin: str, host: str, base_url: str, own: bool) -> None:
    expected = None if own else CsrfReason.ORIGIN
    assert verdict(host=host, base_url=base_url, Origin=origin, X_CSRF_Token=TOKEN) is expected
