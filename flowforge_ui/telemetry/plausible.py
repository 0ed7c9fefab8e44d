"""Plausible, deprecated since 0.9: the facts its shim needs, and how to move. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

DEPRECATED_SINCE = "0.9"
REMOVAL = date(2027, 6, 30)
DEFAULT_SRC = "https://plausible.io"


@dataclass(frozen=True, slots=True)
class Plausible:
    """`domain` is the site's name at Plausible, `src` where Plausible is (no path, no slash at its end)."""

    domain: str
    src: str = DEFAULT_SRC

    @classmethod
    def of(cls, domain: str | None, src: str | None = None) -> Plausible | None:
        """None when no domain is configured. An old `src` that names the script file means the host it is on."""
        if not domain or not domain.strip():
            return None
        parts = urlsplit((src or DEFAULT_SRC).strip())
        return cls(domain.strip(), f"{parts.scheme}://{parts.netloc}")

    @property
    def connect_origin(self) -> str:
        """The one entry `connect-src` needs; the tracker itself is bundled and served from here."""
        return self.src

    @property
    def endpoint(self) -> str:
        return f"{self.src}/api/event"


DEPRECATION = (
    f"Plausible is deprecated since {DEPRECATED_SINCE} and will be removed on {REMOVAL.isoformat()}. "
    "To move to PostHog, set telemetry.frontend.posthog.apikey to your project key (and apiurl to your region or your "
    "own PostHog) or telemetry.frontend.local.enabled to keep events on this server; both may run beside Plausible. "
    "When you have compared the numbers, remove telemetry.frontend.plausible."
)
