"""Writes docs/ping.md from flowforge_ui/plan/ping.yml; `--check` only says whether it is current.

python scripts/generate_ping_docs.py [--check]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from flowforge_ui.telemetry.wire import MAX_INT, Field, PingPlan, Value, encode  # noqa: E402 -- a program finds its own tree first

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PAGE = ROOT / "docs" / "ping.md"
PLAN = ROOT / "flowforge_ui" / "plan" / "ping.yml"

EXAMPLE: Mapping[str, object] = {
    "instanceId": "5db51f99-c6fb-4340-9c19-78adce58cc1b",
    "os.type": "Linux",
    "os.release": "6.1.0-18",
    "os.arch": "x64",
    "env.python": "3.12.4",
    "env.flowforge": "0.9.0",
    "platform.counts.users": 12,
    "platform.counts.teams": 3,
    "platform.counts.projects": 7,
    "platform.config.driver": "localfs",
}
ENVELOPE: Mapping[str, Value] = {
    "period": "2026-11-23T10-5f0c1e9a",
    "seq": 41,
    "secretHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "lastReceipt": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
}

_TYPES = {
    "bool": "true or false",
    "version": "version number: begins with a digit, at most 64 letters, digits and `. + _ ~ -`",
    "uuid": "UUID",
    "period": "hour and eight hex digits",
    "sha256": "64 hex digits",
    "receipt": "32 hex digits",
}


def ping_page(plan: PingPlan) -> str:
    """docs/ping.md."""
    older = [each for each in plan.fields if not each.send]
    bytes_of_it = encode(plan.build(EXAMPLE).payload, example_envelope(plan))
    pretty = json.dumps(json.loads(bytes_of_it), indent=2)
    schema = json.dumps(plan.schema(), indent=2, ensure_ascii=False)
    return f"""# The core ping, field by field

Generated from `flowforge_ui/plan/ping.yml` by `python scripts/generate_ping_docs.py`; a test keeps it current. The same
file gives the payload, its schema, the preview, and what the collector takes and keeps: a field that is not here is
neither sent nor stored. When it is sent, how to stop it and what becomes of it: [telemetry](telemetry.md).

This is version {plan.version} of the list. A platform sends the fields of the version that its administrator has seen;
what a later one adds waits until an administrator has seen the difference.

## What is sent

| field | type | since | why | answers for it |
|---|---|---|---|---|
{_rows(plan.sent())}

A value that does not fit its type is left out of the ping. A word that an enumeration does not have arrives as `other`.

## What travels beside it

In an object named `envelope`. None of it describes the installation.

| field | type | why |
|---|---|---|
{_envelope(plan.envelope)}

## An example

{len(bytes_of_it)} bytes on the wire, without the spaces:

```json
{pretty}
```

## What is only received

Older platforms send these; this one does not. The collector takes them all and keeps those that are marked.

| field | type | since | kept | why |
|---|---|---|---|---|
{_older(older)}

## JSON Schema of the payload

Of what is sent, without the envelope.

```json
{schema}
```
"""


def example_envelope(plan: PingPlan) -> dict[str, Value]:
    """The envelope of the example, its values checked as those of a ping are."""
    given: dict[str, Value] = {"plan": plan.version, **ENVELOPE}
    return {each.path: each.check(given[each.path]) for each in plan.envelope}


def _rows(fields: Iterable[Field]) -> str:
    return "\n".join(f"| `{each.path}` | {_type(each)} | {each.since} | {each.why} | {each.owner} |" for each in fields)


def _older(fields: Iterable[Field]) -> str:
    return "\n".join(
        f"| `{each.path}` | {_type(each)} | {each.since} | {'yes' if each.keep else 'no'} | {each.why} |"
        for each in fields
    )


def _envelope(fields: Iterable[Field]) -> str:
    return "\n".join(f"| `{each.path}` | {_type(each)} | {each.why} |" for each in fields)


def _type(each: Field) -> str:
    if each.type == "int":
        return f"whole number, 0 to {MAX_INT:,}".replace(",", " ")
    if each.type == "enum":
        return ", ".join(f"`{value}`" for value in (*sorted(each.values), "other"))
    return _TYPES[each.type]


def main() -> None:
    text = ping_page(PingPlan.load(PLAN))
    if "--check" in sys.argv:
        if not PAGE.exists() or PAGE.read_text("utf-8") != text:
            sys.exit("docs/ping.md is not current: python scripts/generate_ping_docs.py")
        return
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
