"""What leaves an address, a title, a property. Pure.

An address becomes this platform's own with the route's pattern; its parameters, its hash and all of its query but
what the plan keeps are gone. A foreign referrer becomes its origin. Values that nest never pass.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

from .routes import NOT_FOUND
from .values import Flag, Number, Uuid, Word, is_uuid, rule

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from .event import Scalar
    from .plan import Plan, PropertyDef
    from .routes import Route
    from .values import Check, Rule

DIRECT = "$direct"
MAX_ADDRESS = 8192
MAX_REMEMBERED = 1024
"""Sets of values that came as they may stay, for each event and group."""
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
        self._base_slash = self._base + "/"
        base = urlsplit(self._base)
        self._origin = _origin(base)
        self._own_host = base.netloc.rpartition("@")[2]
        self._prefix = base.path
        self._known = {event.name: self._sort(plan, event.name) for event in plan.events.values()}

    def clean(self, event: str, raw: Mapping[str, object]) -> Clean:
        """What of a browser's properties may stay; `event` is one of the plan."""
        known = self._known[event]
        properties: dict[str, Scalar] = {}
        present = known.clean_into(properties, raw)
        titled = known.titled and raw.get("title") is not None
        nothing = list(raw.values()).count(None)
        if titled:
            properties["title"] = self._route_of(properties).title
        return Clean(properties, len(raw) - nothing - present - titled, present + titled - len(properties))

    def url(self, value: object) -> str | None:
        """An address of this platform, whatever host it was reached by."""
        if not isinstance(value, str) or len(value) > MAX_ADDRESS:
            return None
        if value.startswith(self._base_slash):
            path, query = value[len(self._base) :].partition("#")[0], ""
            if "?" in path:
                path, _, query = path.partition("?")
        else:
            parts = _split(value)
            if parts is None or parts.scheme not in {"http", "https"}:
                return None
            path, query = self._below(parts.path), parts.query
        kept = self._table.kept_query(query)
        return self._base + self._pattern(path) + (kept and "?" + kept)

    def path(self, value: object) -> str | None:
        if not isinstance(value, str) or not value.startswith("/") or len(value) > MAX_ADDRESS:
            return None
        return self._prefix + self._pattern(self._below(value.partition("?")[0].partition("#")[0]))

    def referrer(self, value: object) -> str | None:
        if value == DIRECT:
            return DIRECT
        if isinstance(value, str) and value.startswith(self._base_slash):
            return self.url(value)
        parts = _split(value)
        if parts is None:
            return None
        origin = _origin(parts)
        return self.url(value) if origin == self._origin else origin

    def _below(self, path: str) -> str:
        if self._prefix and (path == self._prefix or path.startswith(self._prefix + "/")):
            return path[len(self._prefix) :]
        return path

    def _pattern(self, path: str) -> str:
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

    def _sort(self, plan: Plan, event: str) -> _Known:
        definition = plan.events[event]
        own = {**plan.common, **definition.properties}
        definitions = {**own, **plan.sdk} if definition.sdk else own
        groups: dict[_Group, dict[str, PropertyDef]] = {"browser": {}, "page": {}, "view": {}}
        for name, found in definitions.items():
            if name not in _SERVER_SETS and found.type != "title":
                groups[_group(found, own=name in own)][name] = found
        return _Known({group: self._rules(found) for group, found in groups.items()}, titled="title" in definitions)

    def _rules(self, definitions: Mapping[str, PropertyDef]) -> _Rules:
        checks = {name: check for name, found in definitions.items() if (check := self._context(found))}
        return _Rules(
            {name: rule(found, self._table) for name, found in definitions.items() if name not in checks}, checks
        )

    def _context(self, definition: PropertyDef) -> Check | None:
        checks: dict[str, Check] = {
            "url": self.url,
            "path": self.path,
            "host": host,
            "own_host": lambda _: self._own_host,
            "referrer": self.referrer,
        }
        return checks.get(definition.type)


_Group = Literal["browser", "page", "view"]


def _group(definition: PropertyDef, *, own: bool) -> _Group:
    """What a property tells of: a browser, a page, or one view of it; values of the first two come again and again."""
    if definition.type in {"route", "route_pattern", "url", "path"} or (own and definition.type == "enum"):
        return "page"
    once = own or definition.type == "own_host" or definition.name.startswith(("$pageview", "$prev_pageview"))
    return "view" if once else "browser"


class _Known:
    """The properties one event may have: those that come again and again are looked up as a whole."""

    def __init__(self, groups: Mapping[_Group, _Rules], *, titled: bool) -> None:
        self.titled = titled
        self._browser, self._page = _Remembered(groups["browser"]), _Remembered(groups["page"])
        self._view = groups["view"]

    def clean_into(self, properties: dict[str, Scalar], raw: Mapping[str, object]) -> int:
        """Adds what may stay; answers how many of the known properties were there with any value."""
        return (
            self._browser.clean_into(properties, raw)
            + self._page.clean_into(properties, raw)
            + self._view.clean_into(properties, raw)
        )


class _Remembered:
    """Remembers which values were clean as they came, so that the same ones need not be looked at again.

    Nothing is remembered of what had to be changed or to go: it might be a secret. What is clean is also short.
    """

    def __init__(self, rules: _Rules) -> None:
        self._rules = rules
        self._names, self._typed = rules.names, rules.typed
        self._clean: dict[object, dict[str, Scalar]] = {}

    def clean_into(self, properties: dict[str, Scalar], raw: Mapping[str, object]) -> int:
        key: object = tuple(map(raw.get, self._names))
        if self._typed:  # 1 equals True, and is another value
            key = (key, tuple(map(type, map(raw.get, self._typed))))
        try:
            remembered = self._clean.get(key)
        except TypeError:  # something nests
            return self._rules.clean_into(properties, raw)
        if remembered is None:
            return self._learn(properties, raw, key)
        properties.update(remembered)
        return len(remembered)

    def _learn(self, properties: dict[str, Scalar], raw: Mapping[str, object], key: object) -> int:
        clean: dict[str, Scalar] = {}
        present = self._rules.clean_into(clean, raw)
        properties.update(clean)
        if present == len(clean) and all(raw[name] in {value, f"{value}/"} for name, value in clean.items()):
            if len(self._clean) >= MAX_REMEMBERED:
                self._clean.clear()
            self._clean[key] = clean
        return present


class _Rules:
    """Rules sorted by kind: a loop a kind instead of a call a value.

    This is most of what receiving an event costs; each loop does what the `check` of its rule does, and a test holds
    them together.
    """

    def __init__(self, rules: Mapping[str, Rule], checks: Mapping[str, Check]) -> None:
        self.names = (*rules, *checks)
        self.typed = tuple(name for name, found in rules.items() if isinstance(found, Number | Flag))
        self._checks = list(checks.items())
        self._uuids = [name for name, found in rules.items() if isinstance(found, Uuid)]
        self._flags = [name for name, found in rules.items() if isinstance(found, Flag)]
        self._numbers = [
            (name, found.low, found.high, found.whole) for name, found in rules.items() if isinstance(found, Number)
        ]
        self._words = [(name, found.words, found) for name, found in rules.items() if isinstance(found, Word)]

    def clean_into(self, properties: dict[str, Scalar], raw: Mapping[str, object]) -> int:
        """Adds what may stay; answers how many of the known properties were there with any value."""
        return (
            self._clean_words(properties, raw)
            + self._clean_uuids(properties, raw)
            + self._clean_numbers(properties, raw)
            + self._clean_flags(properties, raw)
            + self._clean_others(properties, raw)
        )

    def _clean_words(self, properties: dict[str, Scalar], raw: Mapping[str, object]) -> int:
        get, present = raw.get, 0
        for name, words, found in self._words:
            if (value := get(name)) is not None:
                present += 1
                if type(value) is str and (value in words or found.check(value)):
                    properties[name] = value
        return present

    def _clean_uuids(self, properties: dict[str, Scalar], raw: Mapping[str, object]) -> int:
        get, present = raw.get, 0
        for name in self._uuids:
            if (value := get(name)) is not None:
                present += 1
                if type(value) is str and is_uuid(value):
                    properties[name] = value.lower()
        return present

    def _clean_numbers(self, properties: dict[str, Scalar], raw: Mapping[str, object]) -> int:
        get, present = raw.get, 0
        for name, low, high, whole in self._numbers:
            if (value := get(name)) is not None:
                present += 1
                if (type(value) is int or type(value) is float) and low <= value <= high:
                    properties[name] = math.floor(value + 0.5) if whole and type(value) is float else value
        return present

    def _clean_flags(self, properties: dict[str, Scalar], raw: Mapping[str, object]) -> int:
        get, present = raw.get, 0
        for name in self._flags:
            if (value := get(name)) is not None:
                present += 1
                if type(value) is bool:
                    properties[name] = value
        return present

    def _clean_others(self, properties: dict[str, Scalar], raw: Mapping[str, object]) -> int:
        get, present = raw.get, 0
        for name, check in self._checks:
            if (value := get(name)) is not None:
                present += 1
                if (checked := check(value)) is not None:
                    properties[name] = checked
        return present


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
