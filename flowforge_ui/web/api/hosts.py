"""Every host outside that this server, or a page of it, may contact as the settings stand. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import make_url

from flowforge_ui.config.urls import is_loopback

from . import shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flowforge_ui.config import Settings
    from flowforge_ui.telemetry.decision import Channel

_OFF = "or set telemetry.enabled to false."
_WHY: Mapping[Channel, tuple[str, str]] = {
    "ping": (
        "The core ping, posted by this server once a day.",
        f"Switch Core telemetry off in Settings, {_OFF}",
    ),
    "posthog": (
        "Page views and actions, for your own PostHog project.",
        f"Remove telemetry.frontend.posthog.apikey, {_OFF}",
    ),
    "plausible": (
        "Page views, sent by browsers to Plausible.",
        f"Remove telemetry.frontend.plausible.domain, {_OFF}",
    ),
}
_PORTS = {"http": 80, "https": 443, "clickhouse": 8123, "clickhouses": 8443}
_POSTGRESQL = 5432


def hosts(settings: Settings, on: Callable[[Channel], bool]) -> list[shapes.Host]:
    """What telemetry reaches, then the proxies it goes through, then the databases that are on other machines."""
    return [*_telemetry(settings, on), *_proxies(settings, on), *_databases(settings, on)]


def _telemetry(settings: Settings, on: Callable[[Channel], bool]) -> Iterator[shapes.Host]:
    telemetry = settings.telemetry
    urls: Mapping[Channel, str] = {
        "ping": telemetry.url,
        "posthog": telemetry.frontend.posthog.apiurl,
        "plausible": telemetry.frontend.plausible.src,
    }
    for channel, url in urls.items():
        if on(channel):
            yield shapes.Host(host=_of_url(url), why=_WHY[channel][0], how_to_stop=_WHY[channel][1])


def _proxies(settings: Settings, on: Callable[[Channel], bool]) -> Iterator[shapes.Host]:
    """Plausible is for browsers only, which have proxies of their own."""
    sent: Mapping[Channel, str] = {
        "ping": settings.telemetry.url,
        "posthog": settings.telemetry.frontend.posthog.apiurl,
    }
    through = {settings.proxy_for(url) for channel, url in sent.items() if on(channel)} - {None}
    for proxy in through:
        origin = settings.origin("telemetry.proxy")
        yield shapes.Host(
            host=_of_url(str(proxy)),
            why="The proxy through which this server sends telemetry.",
            how_to_stop=f"Unset {origin.where if origin.where.upper() == 'HTTPS_PROXY' else 'telemetry.proxy'}.",
        )


def _databases(settings: Settings, on: Callable[[Channel], bool]) -> Iterator[shapes.Host]:
    store = settings.telemetry.frontend.local.url
    if on("local") and store.startswith("clickhouse") and not is_loopback(store):
        yield shapes.Host(
            host=_of_url(store, always=True),
            why="The analytics store: usage analytics is kept there.",
            how_to_stop="Set telemetry.frontend.local.url to a duckdb:/// file, or switch usage analytics off.",
        )
    for host in _postgresql(settings.database.url):
        yield shapes.Host(
            host=host,
            why="The platform's database.",
            how_to_stop="Set database.url to PostgreSQL on this machine, or to a sqlite:/// file.",
        )
    for host in _postgresql(settings.collector.database_url) if settings.collector.mount else ():
        yield shapes.Host(
            host=host,
            why="The database of the collector that this server has mounted.",
            how_to_stop="Set collector.mount to false, or collector.database_url to a sqlite:/// file.",
        )


def _of_url(url: str, *, always: bool = False) -> str:
    """Host and port, the port of the scheme only where `always` asks for it."""
    parts = urlsplit(url)
    usual = _PORTS[parts.scheme]
    return _named(parts.hostname or "", parts.port or usual, hidden=None if always else usual)


def _postgresql(url: str) -> list[str]:
    """Every host the driver may go to; none for sockets and for this machine."""
    parts = make_url(url)
    if parts.get_backend_name() != "postgresql":
        return []
    named, numbered = parts.query.get("host", parts.host or ""), parts.query.get("port", str(parts.port or _POSTGRESQL))
    entries = ",".join([named] if isinstance(named, str) else named).split(",")
    ports = (numbered if isinstance(numbered, str) else numbered[0]).split(",")
    found = []
    for index, entry in enumerate(entries):
        name, _, port = entry.rpartition(":") if entry.count(":") == 1 else (entry, "", "")
        if name and not name.startswith(("/", "@")) and not is_loopback(f"//{_bracketed(name)}"):
            found.append(f"{_bracketed(name)}:{port or ports[min(index, len(ports) - 1)]}")
    return found


def _named(host: str, port: int, *, hidden: int | None) -> str:
    return _bracketed(host) if port == hidden else f"{_bracketed(host)}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
