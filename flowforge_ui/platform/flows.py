"""Flows: a Node-RED flows file, checked, counted, kept by the driver and given back byte for byte."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, select, update

from . import projects, tables
from .errors import FlowsInvalid, FlowsTooLarge, NotFound
from .values import printable

if TYPE_CHECKING:
    from datetime import datetime

    from .actor import Actor
    from .drivers import Driver
    from .record import Ledger

MAX_BYTES = 5_000_000
MAX_WORD = 200  # characters of an id or a type; Node-RED's have 16 and seldom more than 40
MAX_TYPES = 2_000
EMPTY = b"[]\n"

_PLACES = ("group", "junction")  # on the canvas, but neither nodes nor configuration

_p = tables.projects.c


@dataclass(frozen=True, slots=True)
class FlowsFile:
    """A file found good. `nodes` are on a canvas, `config_nodes` are not; `types` counts both, most frequent first."""

    data: bytes = field(repr=False)
    tabs: int
    nodes: int
    subflows: int
    config_nodes: int
    types: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Flows:
    """What a project's flows hold; `updated_at` is None while there are none."""

    tabs: int
    nodes: int
    subflows: int
    config_nodes: int
    types: tuple[tuple[str, int], ...]
    updated_at: datetime | None


def parse(data: bytes) -> FlowsFile:
    """Check and count a flows file. Takes a moment of CPU: call it outside a transaction.

    Raises:
        FlowsTooLarge: more than `MAX_BYTES`.
        FlowsInvalid: with the first thing that is wrong.
    """
    if len(data) > MAX_BYTES:
        raise FlowsTooLarge
    try:
        # orjson refuses what is no UTF-8, NaN, lone surrogates and nesting beyond its depth.
        elements = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise FlowsInvalid(f"line {error.lineno}, column {error.colno} is not JSON") from error
    if not isinstance(elements, list):
        raise FlowsInvalid("it has to be a JSON array")
    return _count(data, elements)


def put(tx: Connection, ledger: Ledger, actor: Actor, driver: Driver, project_id: str, *, file: FlowsFile) -> Flows:
    """Replace a project's flows. For members.

    The file is written last, while the project's row is held: of two imports at once both the file and the counts
    are the later one's, and a file that cannot be written leaves the counts as they were.
    """
    project = projects.require_role(tx, actor, project_id, "member")
    if tx.execute(select(_p.id).where(_p.id == project_id).with_for_update()).first() is None:
        raise NotFound
    now = ledger.now()
    sizes = {key: getattr(file, key) for key in ("tabs", "nodes", "subflows", "config_nodes")}
    tx.execute(
        update(tables.projects)
        .where(_p.id == project_id)
        .values(**sizes, node_types=[list(pair) for pair in file.types], flows_updated_at=now, updated_at=now)
    )
    properties: dict[str, str | int] = {
        "team": ledger.pseudonyms.team(project.team.id),
        "project": ledger.pseudonyms.project(project_id),
        "tabs": file.tabs,
        "nodes": file.nodes,
    }
    ledger.record(tx, actor, "flows imported", properties, team=project.team.id, target=project.name)
    driver.write(project_id, file.data)
    return Flows(**sizes, types=file.types, updated_at=now)


def view(tx: Connection, actor: Actor, project_id: str) -> Flows:
    """The counts; the file is not read. For viewers."""
    projects.require_role(tx, actor, project_id, "viewer")
    row = tx.execute(
        select(_p.tabs, _p.nodes, _p.subflows, _p.config_nodes, _p.node_types, _p.flows_updated_at).where(
            _p.id == project_id
        )
    ).one()
    return Flows(*row[:4], types=tuple((kind, number) for kind, number in row[4]), updated_at=row[5])


def export(tx: Connection, actor: Actor, driver: Driver, project_id: str) -> bytes:
    """The file as it was imported, or one without flows. For viewers."""
    projects.require_role(tx, actor, project_id, "viewer")
    return driver.read(project_id) or EMPTY


def _count(data: bytes, elements: list[Any]) -> FlowsFile:
    seen: set[str] = set()
    kinds: Counter[str] = Counter()
    types: Counter[str] = Counter()
    for number, element in enumerate(elements, start=1):
        identity, kind = _identified(number, element)
        if identity in seen:
            raise FlowsInvalid(f"element {number} has the id of another one")
        seen.add(identity)
        part = _part(element, kind)
        kinds[part] += 1
        if part in ("node", "config"):
            types["subflow" if kind.startswith("subflow:") else kind] += 1
    if len(types) > MAX_TYPES:
        raise FlowsInvalid(f"it has more than {MAX_TYPES} types of nodes")
    ranked = tuple(sorted(types.items(), key=lambda pair: (-pair[1], pair[0])))
    return FlowsFile(data, kinds["tab"], kinds["node"], kinds["subflow"], kinds["config"], ranked)


def _identified(number: int, element: Any) -> tuple[str, str]:
    if not isinstance(element, dict):
        raise FlowsInvalid(f"element {number} is not an object")
    words = []
    for key in ("id", "type"):
        word = element.get(key)
        if not isinstance(word, str) or not word:
            raise FlowsInvalid(f"element {number} has no {key}")
        if len(word) > MAX_WORD or not printable(word):
            raise FlowsInvalid(f"the {key} of element {number} is not one")
        words.append(word)
    return words[0], words[1]


def _part(element: dict[str, Any], kind: str) -> str:
    if kind in ("tab", "subflow"):
        return kind
    if kind in _PLACES:
        return "place"
    return "node" if "x" in element and "y" in element else "config"
