"""The closed types of the plan: each compiles into a check from any value to a clean one, or None. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from .event import Scalar

if TYPE_CHECKING:
    from .plan import PropertyDef
    from .routes import RouteTable

Check = Callable[[object], Scalar | None]
"""The clean value; None when the value is not of the type and has to go."""

CONTEXT_TYPES = frozenset(["url", "path", "host", "own_host", "referrer", "title"])
"""Types whose clean value depends on where this platform lives; `redact.py` compiles them."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){1,3}((a|b|rc|\.dev|\.post|-rc\.?|-alpha\.?|-beta\.?)\d{1,5})?")
_DOTTED = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")
_MAX_SAFE_INTEGER = 2**53 - 1


def compile_check(definition: PropertyDef, table: RouteTable) -> Check:
    """The check of one property of a closed type."""
    return _BUILDERS[definition.type](definition, table)


def uuid_text(value: object) -> str | None:
    """A UUID in its canonical form, lower case; None for everything else."""
    return value.lower() if isinstance(value, str) and _UUID.fullmatch(value) else None


def _member(allowed: frozenset[str]) -> Check:
    return lambda value: value if isinstance(value, str) and value in allowed else None


def _matching(pattern: re.Pattern[str]) -> Check:
    match = pattern.fullmatch
    return lambda value: value if isinstance(value, str) and value.isascii() and match(value) else None


def _dotted(words: frozenset[str]) -> Check:
    match = _DOTTED.fullmatch
    return lambda value: (
        value if isinstance(value, str) and value.isascii() and (value in words or match(value)) else None
    )


def _number(low: float, high: float) -> Check:
    def check(value: object) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            return None
        return value

    return check


def _integer(low: float, high: float) -> Check:
    """Whole numbers; a clock's fraction of a millisecond is rounded away."""

    def check(value: object) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            return None
        return value if isinstance(value, int) else math.floor(value + 0.5)

    return check


def _up_to(definition: PropertyDef, otherwise: float) -> float:
    return otherwise if definition.max is None else definition.max


def _whole(definition: PropertyDef, _: RouteTable) -> Check:
    return _integer(definition.min, _up_to(definition, _MAX_SAFE_INTEGER))


_BUILDERS: dict[str, Callable[[PropertyDef, RouteTable], Check]] = {
    "boolean": lambda _, __: lambda value: value if isinstance(value, bool) else None,
    "enum": lambda definition, _: _member(frozenset(definition.values)),
    "route": lambda _, table: _member(frozenset(table.by_name)),
    "route_pattern": lambda _, table: _member(frozenset(table.patterns)),
    "pseudonym": lambda definition, _: _matching(re.compile(re.escape(definition.prefix) + "[a-z2-7]{26}")),
    "uuid": lambda _, __: uuid_text,
    "version": lambda _, __: _matching(_VERSION),
    "dotted": lambda definition, _: _dotted(frozenset(definition.values)),
    "language": lambda _, __: _matching(_LANGUAGE),
    "number": lambda definition, _: _number(definition.min, _up_to(definition, _MAX_SAFE_INTEGER)),
    "ratio": lambda definition, _: _number(definition.min, _up_to(definition, 1)),
    "integer": _whole,
    "duration_ms": _whole,
}
CLOSED_TYPES = frozenset(_BUILDERS)
"""Types whose check needs nothing but the plan."""
