"""The content-security policy names exactly what the settings ask for."""

from __future__ import annotations

import pytest

from flowforge_ui.web import headers


def directives(policy: str) -> dict[str, list[str]]:
    return {part.split()[0]: part.split()[1:] for part in policy.split(";")}


def test_the_policy_of_a_page_without_anything_outside() -> None:
    assert directives(headers.document_policy()) == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["'none'"],
    }


def test_outside_hosts_are_named_as_exact_origins() -> None:
    policy = headers.document_policy(["https://eu.i.posthog.com/some/path?x=1", "http://10.0.0.5:8000"])
    assert directives(policy)["connect-src"] == ["'self'", "http://10.0.0.5:8000", "https://eu.i.posthog.com"]
    assert "*" not in policy


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://us.i.posthog.com", "https://us.i.posthog.com"),
        ("https://us.i.posthog.com:443/x", "https://us.i.posthog.com"),
        ("http://ph.internal:80", "http://ph.internal"),
        ("http://ph.internal:8080/", "http://ph.internal:8080"),
        ("HTTPS://PH.Internal", "https://ph.internal"),
        ("https://user:secret@ph.internal", "https://ph.internal"),
        ("https://*.posthog.com", None),
        ("https://ph.internal; script-src *", None),
        ("https://ph.internal' 'unsafe-inline", None),
        ("https://ph.internal\r\nX-Evil: 1", None),
        ("https://ph.internal:99999", None),
        ("javascript:alert(1)", None),
        ("https://", None),
        ("//ph.internal", None),
        ("https://[::1]:8000", None),
        ("https://pöst.example", None),
        ("", None),
    ],
)
def test_only_a_plain_origin_reaches_the_policy(url: str, origin: str | None) -> None:
    assert headers.origin_of(url) == origin
    sources = directives(headers.document_policy([url]))["connect-src"]
    assert sources == (["'self'", origin] if origin else ["'self'"])


@pytest.mark.parametrize(
    ("base_url", "trusted", "https"),
    [
        ("https://flow.example", True, True),
        ("http://127.0.0.1:3000", True, False),
        ("http://[::1]:3000", True, False),
        ("http://localhost:3000", True, False),
        ("http://ff.localhost", True, False),
        ("http://flow.example", False, False),
        ("http://192.168.1.7:3000", False, False),
    ],
)
def test_headers_that_depend_on_how_users_reach_the_server(base_url: str, trusted: bool, https: bool) -> None:
    sent = headers.common(base_url)
    assert ("Cross-Origin-Opener-Policy" in sent) is trusted
    assert ("Strict-Transport-Security" in sent) is https
    assert sent["X-Content-Type-Options"] == "nosniff"
