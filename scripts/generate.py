"""Writes static/js/generated/ from flowforge_ui/plan/: the browser's routes and the types of its events."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flowforge_ui.telemetry.plan import EventDef, Plan, PropertyDef  # noqa: E402 -- a program finds its own tree first

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BANNER = "// Written by scripts/generate.py from flowforge_ui/plan/; `make build` renews it.\n"


def main() -> None:
    plan = Plan.load(ROOT / "flowforge_ui" / "plan")
    target = ROOT / "static" / "js" / "generated"
    target.mkdir(parents=True, exist_ok=True)
    for name, text in (("routes.ts", routes_ts(plan)), ("events.ts", events_ts(plan))):
        path = target / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def routes_ts(plan: Plan) -> str:
    """`routes`, `virtualRoutes`, `RouteName`, `RouteParams`, and the query parameters that may be kept."""
    table = plan.table
    params = "\n".join(
        f"  {route.name}: {_object_type(dict.fromkeys(route.parameters, 'string'))};"
        for route in (*table.routes, *table.virtual)
    )
    rows = "\n".join(
        f"  {{ name: {_js(r.name)}, pattern: {_js(r.pattern)}, title: {_js(r.title)}, who: {_js(r.who)}, "
        f"when: {_js(r.when)} }},"
        for r in table.routes
    )
    virtual = "\n".join(
        f"  {{ name: {_js(r.name)}, pattern: {_js(r.pattern)}, title: {_js(r.title)} }}," for r in table.virtual
    )
    return f"""{BANNER}
/** Pages with an address. */
export type AddressedRouteName = {_union(route.name for route in table.routes)};
/** Views without an address of their own. */
export type VirtualRouteName = {_union(route.name for route in table.virtual)};
export type RouteName = AddressedRouteName | VirtualRouteName;

export interface Route {{
  readonly name: AddressedRouteName;
  /** What telemetry may say of the address; `:name` stands for a parameter. */
  readonly pattern: string;
  readonly title: string;
  readonly who: 'anyone' | 'user' | 'analyst' | 'admin';
  readonly when: 'setup' | 'signup' | null;
}}

export interface VirtualRoute {{
  readonly name: VirtualRouteName;
  readonly pattern: string;
  readonly title: string;
}}

/** The parameters of each route's pattern, percent-decoded. */
export interface RouteParams {{
{params}
}}

/** An address is matched whole; one slash at its end does not count; a fixed segment goes before a parameter. */
export const routes: readonly Route[] = [
{rows}
];

export const virtualRoutes: readonly VirtualRoute[] = [
{virtual}
];

/** Query parameters that may stay in an address that telemetry sees, with the type of their value. */
export const queryParameters: Readonly<Record<string, 'date'>> = {_js(dict(table.query))};
"""


def events_ts(plan: Plan) -> str:
    """The properties of the browser's events, and posthog-js's own that may pass."""
    browser = [event for event in plan.events.values() if event.side == "browser"]
    nav_types = next(event.properties["nav_type"].values for event in browser if "nav_type" in event.properties)
    interfaces = "\n\n".join(_event_interface(event) for event in browser)
    names = "\n".join(f"  {_js(event.name)}: {_type_name(event)};" for event in browser)
    keys = "\n".join(f"  {_js(event.name)}: {_js(list(event.properties))}," for event in browser)
    return f"""{BANNER}import type {{ RouteName }} from './routes.ts';

export const navTypes = {_js(list(nav_types))} as const;
export type NavType = (typeof navTypes)[number];

/** Properties the client may set on each of its events; the server sets the others of the plan's `common`. */
export interface CommonProperties {{
{_fields(plan.common)}
}}

{interfaces}

/** The browser's events and what each may carry. */
export interface BrowserEvents {{
{names}
}}
export type BrowserEventName = keyof BrowserEvents;

/** The names of each event's own properties. */
export const eventProperties: Readonly<Record<BrowserEventName, readonly string[]>> = {{
{keys}
}};

/** posthog-js's own properties that may pass, with the type that says how each is redacted. */
export const sdkProperties: Readonly<Record<string, string>> = {{
{chr(10).join(f"  {_js(name)}: {_js(definition.type)}," for name, definition in plan.sdk.items())}
}};
"""


def _event_interface(event: EventDef) -> str:
    return f"/** {event.why}. */\nexport interface {_type_name(event)} {{\n{_fields(event.properties)}\n}}"


def _fields(properties: Mapping[str, PropertyDef]) -> str:
    return "\n".join(f"  {name}?: {_ts_type(definition)};" for name, definition in properties.items())


def _type_name(event: EventDef) -> str:
    words = event.name.removeprefix("$").replace("-", " ").split()
    return "".join(word.capitalize() for word in words) + "Properties"


def _ts_type(definition: PropertyDef) -> str:
    match definition.type:
        case "route":
            return "RouteName"
        case "enum":
            return "NavType" if definition.name == "nav_type" else _union(definition.values)
        case "boolean":
            return "boolean"
        case "integer" | "number" | "duration_ms" | "ratio":
            return "number"
        case _:
            return "string"


def _object_type(fields: dict[str, str]) -> str:
    if not fields:
        return "Record<never, string>"
    return "{ " + "; ".join(f"{name}: {kind}" for name, kind in fields.items()) + " }"


def _union(names: Iterable[str]) -> str:
    return " | ".join(f"'{name}'" for name in names)


def _js(value: object) -> str:
    if isinstance(value, str):
        return "'" + json.dumps(value, ensure_ascii=False)[1:-1].replace("'", "\\'") + "'"
    if isinstance(value, list):
        return "[" + ", ".join(map(_js, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
