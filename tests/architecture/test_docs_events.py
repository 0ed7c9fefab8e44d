"""docs/events.md says what the plan says."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from flowforge_ui.telemetry.plan import Plan
from flowforge_ui.telemetry.reasons import DROPS, REFUSALS, DropReason, RefusedReason
from scripts.generate_events_docs import events_page

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    plan = Plan.load(ROOT / "flowforge_ui" / "plan")
    page = (ROOT / "docs" / "events.md").read_text("utf-8")
    assert page == events_page(plan), "python scripts/generate_events_docs.py"
    assert [f"### `{name}`" in page for name in plan.events] == [True] * len(plan.events)


def test_every_reason_has_its_sentence() -> None:
    assert tuple(DROPS) == get_args(DropReason)
    assert tuple(REFUSALS) == get_args(RefusedReason)
