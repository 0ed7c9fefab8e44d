"""Every question has its words, and its file is asked by somebody."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

import flowforge_ui.analytics
from flowforge_ui.analytics.dashboards import dashboard
from flowforge_ui.analytics.store import QUESTIONS, Store
from tests.analytics.events import at

NAMES = sorted(path.stem for path in QUESTIONS.glob("*.sql"))
PARAMETERS = {
    "start": at("2026-03-02"),
    "end": at("2026-03-03"),
    "day": date(2026, 3, 2),
    "first": date(2026, 3, 1),
    "last": date(2026, 3, 31),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_question_stands_in_words_at_its_head(name: str) -> None:
    head = (QUESTIONS / f"{name}.sql").read_text(encoding="utf-8").splitlines()[0]
    assert re.fullmatch(r"-- [A-Z].*[?.]", head)


@pytest.mark.parametrize("name", NAMES)
def test_a_question_is_understood_by_both_engines(store: Store, name: str) -> None:
    text = (QUESTIONS / f"{name}.sql").read_text(encoding="utf-8")
    needed = {key: value for key, value in PARAMETERS.items() if re.search(rf"\${key}\b", text)}
    assert len(store.ask(name, needed)) in {0, 1}


def test_no_question_is_left_over() -> None:
    room = Path(flowforge_ui.analytics.__file__).parent
    code = "\n".join(path.read_text(encoding="utf-8") for path in room.rglob("*.py"))
    assert [name for name in NAMES if f'"{name}"' not in code] == []


def test_the_dashboards_in_words() -> None:
    overview = dashboard("overview")
    assert [tile.key for tile in overview.tiles] == [
        "active_users",
        "active_teams",
        "sessions",
        "views",
        "engaged_median",
    ]
    assert {tile.unit for tile in overview.tiles} == {"count", "ms"}
    for key in ("overview", "routes", "live"):
        assert dashboard(key).key == key
        assert dashboard(key).question.endswith("?")
