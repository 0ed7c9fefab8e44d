"""The table of pages, and which page an address is. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

Access = Literal["anyone", "user", "analyst", "admin"]
When = Literal["setup", "signup"]
QueryType = Literal["date"]

NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Route:
    """A page. `when` limits it to a state of the platform.

    Virtual routes have no address of their own; their pattern is `/` and their name, and `who` is `anyone`.
    """

    name: str
    pattern: str
    title: str
    who: Access = "anyone"
    when: When | None = None
    virtual: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(segment[1:] for segment in self.pattern.split("/") if segment.startswith(":"))


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """An address that is a page: the route, and its parameters, percent-decoded."""

    route: Route
    params: Mapping[str, str] = field(default_factory=dict)


class RouteTable:
    """Every route, virtual ones last, with the query parameters that may be kept in an address."""

    def __init__(self, routes: tuple[Route, ...], virtual: tuple[Route, ...], query: Mapping[str, QueryType]) -> None:
        self.routes, self.virtual, self.query = routes, virtual, dict(query)
        self.by_name = {route.name: route for route in (*routes, *virtual)}
        self.patterns = {route.pattern: route for route in (*routes, *virtual)}
        self._fixed = {route.pattern: RouteMatch(route) for route in routes if not route.parameters}
        self._variable: dict[int, list[tuple[list[str], Route]]] = {}
        for route in sorted(routes, key=_fixed_segments_first):
            if route.parameters:
                segments = route.pattern.split("/")
                self._variable.setdefault(len(segments), []).append((segments, route))

    def match(self, path: str) -> RouteMatch | None:
        """The page at a path (no query, no hash; percent-encoded or not); None when there is none."""
        if len(path) > 1 and path.endswith("/") and not path.endswith("//"):
            path = path[:-1]
        if found := self._fixed.get(path):
            return found
        segments = path.split("/")
        if "%" in path:
            segments = [unquote(segment) for segment in segments]
        for pattern, route in self._variable.get(len(segments), ()):
            params = _params(pattern, segments)
            if params is not None:
                return RouteMatch(route, params)
        return None

    def kept_query(self, query: str) -> str:
        """What of a query string may stay: allowed names with a valid value, each once, in the plan's order."""
        if not query:
            return ""
        given: dict[str, str] = {}
        for pair in query.split("&"):
            name, _, value = pair.partition("=")
            if name in self.query:
                given.setdefault(name, value)
        return "&".join(f"{name}={given[name]}" for name in self.query if name in given and _is_date(given[name]))


def _fixed_segments_first(route: Route) -> list[bool]:
    return [segment.startswith(":") for segment in route.pattern.split("/")]


def _params(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    params: dict[str, str] = {}
    for expected, segment in zip(pattern, segments, strict=True):
        if expected.startswith(":"):
            if not segment:
                return None
            params[expected[1:]] = segment
        elif expected != segment:
            return None
    return params


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and text.isascii() and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
