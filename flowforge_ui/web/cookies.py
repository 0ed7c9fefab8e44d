"""The three cookies, and nothing else: session, visitor (CSRF while signed out), device (a throttle's good memory)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from flowforge_ui.platform import sessions, throttle

if TYPE_CHECKING:
    from flask import Response


@dataclass(frozen=True, slots=True)
class Cookie:
    """`lifetime` None lasts as long as the browser runs."""

    name: str
    lifetime: timedelta | None


class Cookies:
    """Names and attributes; over https they carry the `__Host-` prefix, which no neighbour can overwrite."""

    def __init__(self, base_url: str) -> None:
        self._secure = base_url.startswith("https:")
        prefix = "__Host-" if self._secure else ""
        self.session = Cookie(f"{prefix}ff_session", sessions.ABSOLUTE)
        self.visitor = Cookie(f"{prefix}ff_visitor", None)
        self.device = Cookie(f"{prefix}ff_device", throttle.DEVICE_LIFETIME)

    def put(self, response: Response, cookie: Cookie, value: str) -> None:
        response.set_cookie(
            cookie.name, value, max_age=cookie.lifetime, secure=self._secure, httponly=True, samesite="Lax", path="/"
        )

    def drop(self, response: Response, cookie: Cookie) -> None:
        response.delete_cookie(cookie.name, secure=self._secure, httponly=True, samesite="Lax", path="/")
