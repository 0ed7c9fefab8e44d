"""The core ping's wire: one list of fields (``plan/ping.yml``) read by sender, preview, docs and collector.

A field is a path (``platform.counts.users``) with a closed type. Building leaves out what does not fit its type and
counts it; reading refuses what does not fit and counts what it does not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

MAX_INT = 10_000_000
# Of every text, all told; what keeps it has room for so much.
MAX_TEXT = 64
MAX_DEPTH = 8
MAX_NODES = 1_000

_SHAPES: Mapping[str, re.Pattern[str]] = {
    "version": re.compile(r"v?[0-9][0-9A-Za-z.+_~-]*\Z"),
    "uuid": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z"),
    "period": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9a-f]{8}\Z"),
    "sha256": re.compile(r"[0-9a-f]{64}\Z"),
    "receipt": re.compile(r"[0-9a-f]{32}\Z"),
}

Value: TypeAlias = str | int | bool


class WireError(Exception):
    """A ping that cannot be taken. ``path`` names the field (or ``""``), ``why`` is one plain clause."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}" if path else why)
        self.path = path
        self.why = why


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the plan; ``path`` is dotted."""

    path: str
    type: str
    why: str
    values: frozenset[str] = frozenset()
    send: bool = False
    keep: bool = True
    plan: int = 0
    since: str = ""
    column: str = ""
    owner: str = ""

    def check(self, value: object) -> Value:
        """The value as it may be kept, or ``WireError``."""
        if self.type == "bool":
            if isinstance(value, bool):
                return value
            raise WireError(self.path, "must be true or false")
        if self.type == "int":
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_INT:
                raise WireError(self.path, f"must be a whole number from 0 to {MAX_INT}")
            return value
        if not isinstance(value, str):
            raise WireError(self.path, "must be text")
        if len(value) > MAX_TEXT:
            raise WireError(self.path, f"must be at most {MAX_TEXT} characters")
        if self.type == "enum":
            return value if value in self.values else "other"
        text = value.lower() if self.type == "uuid" else value
        if not _SHAPES[self.type].match(text):
            raise WireError(self.path, f"does not look like a {self.type}")
        return text


@dataclass(frozen=True, slots=True)
class Reading:
    """What a received ping says: kept values by path, the envelope by name, and names nobody asked for."""

    values: Mapping[str, Value]
    envelope: Mapping[str, Value]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Built:
    """A payload to send and the paths that were left out because their value did not fit."""

    payload: Mapping[str, object]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class PingPlan:
    """The list of fields and its version."""

    version: int
    fields: tuple[Field, ...]
    envelope: tuple[Field, ...]
    _by_path: Mapping[str, Field] = field(init=False, repr=False)
    _envelope_by_path: Mapping[str, Field] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_path", {each.path: each for each in self.fields})
        object.__setattr__(self, "_envelope_by_path", {each.path: each for each in self.envelope})

    @staticmethod
    def load(path: Path) -> PingPlan:
        """The plan in ``path`` (``ping.yml``)."""
        raw = yaml.safe_load(path.read_text("utf-8"))
        return PingPlan(
            version=raw["version"],
            fields=tuple(_field(each) for each in raw["fields"]),
            envelope=tuple(_field(each) for each in raw["envelope"]),
        )

    def sent(self, accepted: int | None = None) -> tuple[Field, ...]:
        """The fields that are sent when the administrator has accepted plan version ``accepted`` (None: the newest)."""
        top = self.version if accepted is None else accepted
        return tuple(each for each in self.fields if each.send and each.plan <= top)

    def added_since(self, accepted: int) -> tuple[Field, ...]:
        """What accepting the present version would add to what is sent."""
        return tuple(each for each in self.fields if each.send and each.plan > accepted)

    def build(self, facts: Mapping[str, object], accepted: int | None = None) -> Built:
        """Nest the facts (path -> value) into the payload; what does not fit its type is left out and named."""
        payload: dict[str, object] = {}
        left_out: list[str] = []
        for each in self.sent(accepted):
            try:
                value = each.check(facts.get(each.path))
            except WireError:
                left_out.append(each.path)
                continue
            _put(payload, each.path, value)
        return Built(payload, tuple(left_out))

    def read(self, body: bytes) -> Reading:
        """A received body -> its values; ``WireError`` says what is wrong, in words safe to answer with."""
        return self.read_document(_parse(body))

    def read_document(self, document: object) -> Reading:
        """The same for a parsed document."""
        if not isinstance(document, dict):
            raise WireError("", "must be a JSON object")
        envelope = document.get("envelope", {})
        if not isinstance(envelope, dict):
            raise WireError("envelope", "must be an object")
        values: dict[str, Value] = {}
        unknown: list[str] = []
        for path, value in _leaves({key: document[key] for key in document if key != "envelope"}):
            known = self._by_path.get(path)
            if known is None:
                unknown.append(path)
            elif known.type != "bool" and value == "" and not known.send:
                continue  # older platforms send an empty text for "none"
            elif known.keep:
                values[path] = known.check(value)
        if "instanceId" not in values:
            raise WireError("instanceId", "is missing")
        kept: dict[str, Value] = {}
        for name, value in envelope.items():
            of_envelope = self._envelope_by_path.get(name)
            if of_envelope is None:
                unknown.append(f"envelope.{name}")
            else:
                kept[name] = of_envelope.check(value)
        return Reading(values, kept, tuple(unknown))

    def schema(self, accepted: int | None = None) -> dict[str, object]:
        """JSON Schema (2020-12) of the payload that is sent."""
        root: dict[str, object] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_object()}
        for each in self.sent(accepted):
            *parents, name = each.path.split(".")
            node = root
            for parent in parents:
                properties = node["properties"]
                assert isinstance(properties, dict)  # noqa: S101 - for the type checker: _object() made it
                node = properties.setdefault(parent, _object())
            properties = node["properties"]
            assert isinstance(properties, dict)  # noqa: S101 - the same
            properties[name] = _schema_of(each)
        return root


def encode(payload: Mapping[str, object], envelope: Mapping[str, Value] | None = None) -> bytes:
    """The bytes that travel: compact UTF-8 JSON, the envelope last under its own name."""
    document = dict(payload) if envelope is None else {**payload, "envelope": dict(envelope)}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _field(raw: Mapping[str, Any]) -> Field:
    return Field(**{**raw, "values": frozenset(raw.get("values", ()))})


def _put(into: dict[str, object], path: str, value: Value) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        child = into.setdefault(parent, {})
        assert isinstance(child, dict)  # noqa: S101 - paths of the plan never cross a leaf
        into = child
    into[name] = value


def _leaves(node: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in node.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}.")
        else:
            yield path, value


def _parse(body: bytes) -> object:
    try:
        text = body.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise WireError("", "must be UTF-8") from None
    try:
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_bounded_int)
    except RecursionError:
        raise WireError("", "is nested too deeply") from None
    except ValueError:
        raise WireError("", "must be JSON") from None
    # A short text without many brackets or escapes is within all bounds: nothing needs to be walked through.
    if len(text) > MAX_NODES or text.count("{") + text.count("[") >= MAX_DEPTH or "\\u" in text:
        _bounded(document)
    return document


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise WireError("", "names a key twice")
        found[key] = value
    return found


def _no_constant(name: str) -> object:
    raise WireError("", f"{name} is no JSON number")


def _bounded_int(digits: str) -> int:
    if len(digits) > 20:
        raise WireError("", "a number is too large")
    return int(digits)


def _bounded(document: object) -> None:
    """Refuse what is too deep, too many, or no text that could be stored (lone surrogates)."""
    stack: list[tuple[object, int]] = [(document, 1)]
    seen = 0
    while stack:
        node, depth = stack.pop()
        seen += 1
        if depth > MAX_DEPTH:
            raise WireError("", "is nested too deeply")
        if seen > MAX_NODES:
            raise WireError("", "has too many fields")
        if isinstance(node, dict):
            stack.extend((key, depth) for key in node)
            stack.extend((value, depth + 1) for value in node.values())
        elif isinstance(node, list):
            stack.extend((value, depth + 1) for value in node)
        elif isinstance(node, str) and not node.isascii() and any("\ud800" <= each <= "\udfff" for each in node):
            raise WireError("", "has text that is no Unicode")


def _object() -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def _schema_of(each: Field) -> dict[str, object]:
    about = {"description": each.why}
    if each.type == "bool":
        return {"type": "boolean", **about}
    if each.type == "int":
        return {"type": "integer", "minimum": 0, "maximum": MAX_INT, **about}
    if each.type == "enum":
        return {"enum": [*sorted(each.values), "other"], **about}
    pattern = "^" + _SHAPES[each.type].pattern.removesuffix(r"\Z") + "$"
    return {"type": "string", "maxLength": MAX_TEXT, "pattern": pattern, **about}
