"""Pure: which headers an answer carries. The content-security policy is derived from the settings, never a wildcard."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE)

# An answer that is no document needs nothing at all, whatever a browser makes of it.
DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_DOCUMENT = {
    "default-src": ("'none'",),
    "script-src": ("'self'",),
    "style-src": ("'self'",),
    "img-src": ("'self'", "data:"),
    "font-src": ("'self'",),
    "connect-src": ("'self'",),
    "manifest-src": ("'self'",),
    "form-action": ("'self'",),
    "base-uri": ("'none'",),
    "frame-ancestors": ("'none'",),
    "require-trusted-types-for": ("'script'",),
    "trusted-types": ("'none'",),
}

_FEATURES = ("accelerometer", "camera", "geolocation", "gyroscope", "magnetometer", "microphone", "payment", "usb")


def origin_of(url: str) -> str | None:
    """``scheme://host[:port]`` of an http(s) URL, or None when it is none that a policy could name."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host):
        return None
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != default else "")


def document_policy(connect: Iterable[str] = ()) -> str:
    """The content-security policy of a page; ``connect`` are URLs whose origins the page may talk to."""
    origins = sorted({origin for url in connect if (origin := origin_of(url))})
    directives = {**_DOCUMENT, "connect-src": (*_DOCUMENT["connect-src"], *origins)}
    return "; ".join(f"{name} {' '.join(sources)}" for name, sources in directives.items())


def trustworthy(url: str) -> bool:
    """Whether browsers hold this origin for a secure context: https, or a loopback address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def common(base_url: str) -> Mapping[str, str]:
    """Headers of every answer, whatever its kind."""
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": "DENY",
    }
    if trustworthy(base_url):
        # Elsewhere browsers ignore it and complain in the console.
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if base_url.startswith("https:"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
