"""The closed types of the plan: each compiles into a rule that makes any value a clean one, or nothing. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .event import Scalar

if TYPE_CHECKING:
    from .plan import PropertyDef
    from .routes import RouteTable

Check = Callable[[object], Scalar | None]
"""The clean value; None when the value is not of the type and has to go."""

CONTEXT_TYPES = frozenset(["url", "path", "host", "own_host", "referrer", "title"])
"""Types whose clean value depends on where this platform lives; `redact.py` knows their rules."""

_DIGITS = bytes.maketrans(b"0123456789abcdefABCDEF", b"0" * 22)
_SHAPE = b"00000000-0000-0000-0000-000000000000"
_VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){1,3}((a|b|rc|\.dev|\.post|-rc\.?|-alpha\.?|-beta\.?)\d{1,5})?", re.ASCII)
_DOTTED = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?", re.ASCII)
_MAX_SAFE_INTEGER = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Word:
    """One of `words`, or text that `pattern` matches."""

    words: frozenset[str]
    pattern: re.Pattern[str] | None = None

    def check(self, value: object) -> str | None:
        if not isinstance(value, str):
            return None
        if value in self.words or (self.pattern is not None and self.pattern.fullmatch(value)):
            return value
        return None


@dataclass(frozen=True, slots=True)
class Uuid:
    """In its canonical form, lower case."""

    def check(self, value: object) -> str | None:
        return uuid_text(value)


@dataclass(frozen=True, slots=True)
class Number:
    """From `low` to `high`; if `whole`, a fraction (of a millisecond, say) is rounded away."""

    low: float
    high: float
    whole: bool = False

    def check(self, value: object) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return None
        return math.floor(value + 0.5) if self.whole and isinstance(value, float) else value


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def check(self, value: object) -> bool | None:
        return value if isinstance(value, bool) else None


Rule = Word | Uuid | Number | Flag


def rule(definition: PropertyDef, table: RouteTable) -> Rule:
    """The rule of one property of a closed type."""
    return _RULES[definition.type](definition, table)


def uuid_text(value: object) -> str | None:
    """A UUID in its canonical form, lower case; None for everything else."""
    return value.lower() if isinstance(value, str) and is_uuid(value) else None


def is_uuid(text: str) -> bool:
    """Whether it is a UUID's canonical form, in letters of either case; a third of a pattern's time."""
    return text.isascii() and text.encode().translate(_DIGITS) == _SHAPE


def _number(definition: PropertyDef, otherwise: float = _MAX_SAFE_INTEGER, *, whole: bool = False) -> Number:
    return Number(definition.min, otherwise if definition.max is None else definition.max, whole)


_NONE: frozenset[str] = frozenset()
_RULES: dict[str, Callable[[PropertyDef, RouteTable], Rule]] = {
    "boolean": lambda _, __: Flag(),
    "enum": lambda definition, _: Word(frozenset(definition.values)),
    "route": lambda _, table: Word(frozenset(table.by_name)),
    "route_pattern": lambda _, table: Word(frozenset(table.patterns)),
    "pseudonym": lambda definition, _: Word(_NONE, re.compile(re.escape(definition.prefix) + "[a-z2-7]{26}")),
    "uuid": lambda _, __: Uuid(),
    "version": lambda _, __: Word(_NONE, _VERSION),
    "dotted": lambda definition, _: Word(frozenset(definition.values), _DOTTED),
    "language": lambda _, __: Word(_NONE, _LANGUAGE),
    "number": lambda definition, _: _number(definition),
    "ratio": lambda definition, _: _number(definition, 1),
    "integer": lambda definition, _: _number(definition, whole=True),
    "duration_ms": lambda definition, _: _number(definition, whole=True),
}
CLOSED_TYPES = frozenset(_RULES)
"""Types whose rule needs nothing but the plan."""
