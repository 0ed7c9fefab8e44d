"""Pure: may this request change something? A token bound to the session, and what the browser says of the origin."""

from __future__ import annotations

import hmac
import ipaddress
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from typing import Protocol

    class Headers(Protocol):
        """A request's headers, their names in any case."""

        def get(self, name: str, default: str, /) -> str: ...


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class CsrfReason(StrEnum):
    """Why a request that would change something is refused."""

    MISSING = "csrf_missing"
    WRONG = "csrf_wrong"
    CROSS_SITE = "cross_site"
    ORIGIN = "origin_unknown"


def token_for(secret: bytes, bound_to: str) -> str:
    """The token for a session (or, signed out, for a device).

    The same input gives the same token, so a page's boot facts, and with them its ETag, change only with the session.
    """
    return hmac.digest(secret, b"csrf\0" + bound_to.encode(), "sha256").hex()


def own_host(host: str, base_url: str) -> bool:
    """Whether a host (with port) that a browser asked for may be taken for this server's.

    The configured one may, and IP addresses and localhost. A name nobody configured may not, since anybody can point a
    name at this machine.
    """
    try:
        asked, base = urlsplit(f"//{host}"), urlsplit(base_url)
        name, _ = asked.hostname or "", asked.port
    except ValueError:
        return False
    if asked.netloc != host or asked.username is not None:
        return False
    if name in {base.hostname, "localhost"} or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_own(origin: str, base_url: str, host: str) -> bool:
    base, here = urlsplit(base_url), urlsplit(origin)
    if (here.scheme, here.hostname, here.port) == (base.scheme, base.hostname, base.port):
        return True
    return here.netloc == host and own_host(host, base_url)


def check(headers: Headers, *, host: str, base_url: str, expected: str) -> CsrfReason | None:
    """``None`` when the request may go on. ``host`` is the host the browser asked for."""
    if headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return CsrfReason.CROSS_SITE
    origin = headers.get("Origin", "")
    try:
        if origin and not _is_own(origin, base_url, host):
            return CsrfReason.ORIGIN
    except ValueError:
        return CsrfReason.ORIGIN
    given = headers.get("X-CSRF-Token", "")
    if not given:
        return CsrfReason.MISSING
    if not hmac.compare_digest(given.encode(), expected.encode()):
        return CsrfReason.WRONG
    return None
