"""What leaves an address, a title, a property. Pure.

An address becomes this platform's own with the route's pattern; its parameters, its hash and all of its query but
what the plan keeps are gone. A foreign referrer becomes its origin. Values that nest never pass.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from .routes import NOT_FOUND
from .values import CONTEXT_TYPES, Check, compile_check

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from .event import Scalar
    from .plan import Plan
    from .routes import Route

DIRECT = "$direct"
MAX_ADDRESS = 8192
_HOST = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_IPV6 = re.compile(r"[0-9a-f:.]{2,45}")
_SERVER_SETS = ("app_version", "role", "source", "$is_identified", "$process_person_profile")


class Clean(NamedTuple):
    """The properties that may stay, and how many had to go: not in the plan, or not of their type."""

    properties: dict[str, Scalar]
    unknown: int
    invalid: int


class Redactor:
    """For one plan and one `base_url`, how users reach this platform."""

    def __init__(self, plan: Plan, base_url: str) -> None:
        self._plan, self._table = plan, plan.table
        self._base = base_url.rstrip("/")
        base = urlsplit(self._base)
        self._origin = _origin(base)
        self._own_host = base.netloc.rpartition("@")[2]
        self._prefix = base.path
        context: dict[str, Check] = {
            "url": self.url,
            "path": self.path,
            "host": host,
            "own_host": lambda _: self._own_host,
            "referrer": self.referrer,
            "title": lambda _: None,  # set from the route, once that is known
        }
        assert context.keys() == CONTEXT_TYPES  # noqa: S101 -- a plan that loads can be compiled
        sdk = {
            name: context.get(definition.type) or compile_check(definition, plan.table)
            for name, definition in plan.sdk.items()
        }
        self._checks = {
            event.name: {
                name: check
                for name, check in {**plan.checks[event.name], **(sdk if event.sdk else {})}.items()
                if name not in _SERVER_SETS
            }
            for event in plan.events.values()
        }

    def clean(self, event: str, raw: Mapping[str, object]) -> Clean:
        """What of a browser's properties may stay; `event` is one of the plan."""
        checks = self._checks[event]
        properties: dict[str, Scalar] = {}
        unknown = invalid = 0
        for name, value in raw.items():
            check = checks.get(name)
            if check is None:
                unknown += 1
            elif value is not None:
                checked = check(value)
                if checked is not None:
                    properties[name] = checked
                elif name != "title":
                    invalid += 1
        if "title" in raw and "title" in checks:
            properties["title"] = self._route_of(properties).title
        return Clean(properties, unknown, invalid)

    def url(self, value: object) -> str | None:
        """An address of this platform, whatever host it was reached by."""
        parts = _split(value)
        if parts is None or parts.scheme not in {"http", "https"}:
            return None
        query = self._table.kept_query(parts.query)
        return self._base + self._pattern(parts.path) + (query and "?" + query)

    def path(self, value: object) -> str | None:
        if not isinstance(value, str) or not value.startswith("/") or len(value) > MAX_ADDRESS:
            return None
        return self._prefix + self._pattern(value.partition("?")[0].partition("#")[0])

    def referrer(self, value: object) -> str | None:
        if value == DIRECT:
            return DIRECT
        parts = _split(value)
        if parts is None:
            return None
        origin = _origin(parts)
        return self.url(value) if origin == self._origin else origin

    def _pattern(self, path: str) -> str:
        if self._prefix and (path == self._prefix or path.startswith(self._prefix + "/")):
            path = path[len(self._prefix) :]
        path = path or "/"
        if path in self._table.patterns:
            return path
        found = self._table.match(path)
        return found.route.pattern if found else self._table.by_name[NOT_FOUND].pattern

    def _route_of(self, properties: Mapping[str, Scalar]) -> Route:
        name = properties.get("route")
        if isinstance(name, str):
            return self._table.by_name[name]
        url = str(properties.get("$current_url", ""))
        pattern = url[len(self._base) :].partition("?")[0]
        return self._table.patterns.get(pattern, self._table.by_name[NOT_FOUND])


def host(value: object) -> str | None:
    """A host's name in lower case, without port; `$direct` stays."""
    if not isinstance(value, str) or len(value) > 300:
        return None
    if value == DIRECT:
        return value
    return _host_name(value.lower())


def _split(value: object) -> SplitResult | None:
    if not isinstance(value, str) or len(value) > MAX_ADDRESS:
        return None
    try:
        return urlsplit(value)
    except ValueError:
        return None


def _origin(parts: SplitResult) -> str | None:
    """`https://host:port` with neither name nor password in it; the scheme's own port is left out."""
    try:
        name, port = _host_name(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if name is None or parts.scheme not in {"http", "https"}:
        return None
    usual = {"http": 80, "https": 443}[parts.scheme]
    shown = f"[{name}]" if ":" in name else name
    return f"{parts.scheme}://{shown}" + (f":{port}" if port and port != usual else "")


def _host_name(text: str) -> str | None:
    if _HOST.fullmatch(text) or (":" in text and _IPV6.fullmatch(text)):
        return text
    return None
