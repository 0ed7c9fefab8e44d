"""Writes docs/events.md from the plan; `--check` only says whether it is current.

python scripts/generate_events_docs.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flowforge_ui.telemetry.plan import EventDef, Plan, PropertyDef  # noqa: E402 -- a program finds its own tree first
from flowforge_ui.telemetry.reasons import DROPS, REFUSALS  # noqa: E402 -- the same

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PAGE = ROOT / "docs" / "events.md"

TYPES = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "version": "version number",
    "route": "name of a page",
    "route_pattern": "a page's pattern",
    "uuid": "UUID",
    "duration_ms": "milliseconds",
    "ratio": "0 to 1",
    "dotted": "1.2.3",
    "language": "language tag",
    "url": "this platform's address, with the page's pattern",
    "path": "the page's pattern",
    "host": "host name",
    "own_host": "this platform's host name",
    "referrer": "as an address, if of this platform; else the foreign origin only",
    "title": "the page's title in the list below, never the document's own",
}


def events_page(plan: Plan) -> str:
    """docs/events.md."""
    return f"""# What may be recorded

Generated from `flowforge_ui/plan/` by `python scripts/generate_events_docs.py`; a test keeps it current.

An event that is not here is refused, a property that is not here is removed, and a value that is not of its type is
left out; all three are counted. No type is free text. Nobody's address, name or e-mail is in any of them: users,
teams and projects appear as keyed pseudonyms (`u_…`, `t_…`, `p_…`) that only this installation could make. Only where
the administrator sets `telemetry.frontend.posthog.identity: username` do events name the user by the user name.

## Events
{_events(plan.events.values())}
## On every event

Set by the server.

{_properties(plan.common)}

## Properties of the browser's SDK that may pass

With `$pageview` and `$pageleave`. All others the SDK collects are removed.

{_properties(plan.sdk)}

## Pages

An address is never recorded, only its pattern. Of a query string {_query(plan)} may stay.

| page | pattern | title | who |
|---|---|---|---|
{_pages(plan)}

## Why an event is not recorded

| reason | meaning |
|---|---|
{_lines(f"| `{reason}` | {meaning} |" for reason, meaning in DROPS.items())}

## Why a request with events is refused

| reason | status | meaning |
|---|---|---|
{_lines(f"| `{reason}` | {status} | {meaning} |" for reason, (status, meaning) in REFUSALS.items())}
"""


def _events(events: Iterable[EventDef]) -> str:
    return "".join(
        f"\n### `{event.name}`\n\n{event.why}. Recorded by the {event.side}, since {event.since}."
        f"{' With properties of the SDK, below.' if event.sdk else ''}\n"
        + (f"\n{_properties(event.properties)}\n" if event.properties else "")
        for event in events
    )


def _properties(properties: Mapping[str, PropertyDef]) -> str:
    why = any(definition.why for definition in properties.values())
    head = "| property | value | why |\n|---|---|---|\n" if why else "| property | value |\n|---|---|\n"
    return head + _lines(
        f"| `{name}` | {_type(definition)} |" + (f" {definition.why} |" if why else "")
        for name, definition in properties.items()
    )


def _type(definition: PropertyDef) -> str:
    words = ", ".join(f"`{value}`" for value in definition.values)
    if definition.type == "enum":
        return words
    if definition.type == "pseudonym":
        return f"pseudonym `{definition.prefix}…`"
    most = f", at most {definition.max:.15g}" if definition.max is not None and definition.type != "ratio" else ""
    least = f", at least {definition.min:.15g}" if definition.min else ""
    return TYPES[definition.type] + least + most + (f", or {words}" if words else "")


def _pages(plan: Plan) -> str:
    return _lines(
        f"| `{route.name}` | `{route.pattern}` | {route.title} | "
        f"{'view without an address of its own' if route.virtual else route.who} |"
        for route in (*plan.table.routes, *plan.table.virtual)
    )


def _query(plan: Plan) -> str:
    return " and ".join(f"`{name}` (a {kind})" for name, kind in plan.table.query.items()) or "nothing"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def main() -> None:
    text = events_page(Plan.load(ROOT / "flowforge_ui" / "plan"))
    if "--check" in sys.argv:
        if not PAGE.exists() or PAGE.read_text("utf-8") != text:
            sys.exit("docs/events.md is not current: python scripts/generate_events_docs.py")
        return
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
