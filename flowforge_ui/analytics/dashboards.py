"""What is said of the dashboards and their numbers: `plan/dashboards/*.yml`, and the titles of routes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAN = Path(__file__).parent.parent / "plan"


@dataclass(frozen=True)
class Tile:
    """One number of a dashboard; `n` says in words what the number rests on."""

    key: str
    label: str
    unit: Literal["count", "ms"]
    definition: str
    n: str


@dataclass(frozen=True)
class Dashboard:
    """A dashboard in words. `series` has `label` and `definition` where the dashboard draws one."""

    key: str
    title: str
    question: str
    range: str = ""
    definition: str = ""
    tiles: tuple[Tile, ...] = ()
    series: Mapping[str, str] | None = None


@cache
def dashboard(key: str) -> Dashboard:
    """The dashboard of that name."""
    raw: dict[str, Any] = yaml.safe_load((PLAN / "dashboards" / f"{key}.yml").read_text(encoding="utf-8"))
    return Dashboard(**{**raw, "tiles": tuple(Tile(**tile) for tile in raw.get("tiles", ()))})


@cache
def titles() -> Mapping[str, str]:
    """The title of every route, virtual ones included, by the route's name."""
    raw: dict[str, Any] = yaml.safe_load((PLAN / "routes.yml").read_text(encoding="utf-8"))
    return {route["name"]: route["title"] for route in (*raw["routes"], *raw["virtual"])}


@cache
def patterns() -> Mapping[str, str]:
    """The pattern of every route, virtual ones included (`/` and their name), by the route's name."""
    raw: dict[str, Any] = yaml.safe_load((PLAN / "routes.yml").read_text(encoding="utf-8"))
    virtual = {route["name"]: f"/{route['name']}" for route in raw["virtual"]}
    return {**{route["name"]: route["pattern"] for route in raw["routes"]}, **virtual}
