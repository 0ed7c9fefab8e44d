"""docs/ping.md says what the list of the ping's fields says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from flowforge_ui.telemetry.wire import PingPlan
from scripts.generate_ping_docs import ENVELOPE, EXAMPLE, ping_page

ROOT = Path(__file__).parents[2]
PLAN = PingPlan.load(ROOT / "flowforge_ui" / "plan" / "ping.yml")
PAGE = (ROOT / "docs" / "ping.md").read_text("utf-8")


def test_the_page_is_current() -> None:
    assert ping_page(PLAN) == PAGE, "python scripts/generate_ping_docs.py"


def test_the_page_names_every_field() -> None:
    named = re.findall(r"^\| `([\w.]+)` \|", PAGE, re.MULTILINE)
    sent = [each.path for each in PLAN.fields if each.send]
    received = [each.path for each in PLAN.fields if not each.send]
    assert named == [*sent, *(each.path for each in PLAN.envelope), *received]


def test_the_example_is_a_ping_the_collector_takes() -> None:
    assert PLAN.build(EXAMPLE).left_out == ()
    example = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]
    reading = PLAN.read(json.dumps(json.loads(example)).encode())
    assert reading.unknown == ()
    assert reading.values == EXAMPLE
    assert reading.envelope == {"plan": PLAN.version, **ENVELOPE}


def test_every_field_has_its_reason_its_beginning_and_somebody_who_answers_for_it() -> None:
    assert [each.path for each in PLAN.fields if not (each.why and each.since and each.owner)] == []
    assert [each.path for each in PLAN.fields if each.send and not 1 <= each.plan <= PLAN.version] == []
    assert [each.path for each in PLAN.envelope if not each.why] == []


def test_no_field_could_carry_text_of_its_own() -> None:
    """Closed types only: there is no field a name, an address or a flow could travel in."""
    assert {each.type for each in PLAN.fields} <= {"int", "bool", "enum", "version", "uuid"}
