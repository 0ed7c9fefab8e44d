"""docs/telemetry.md promises nothing that no test holds, and every test it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "telemetry.md").read_text("utf-8")
TEXT = PAGE.partition("\n[^")[0]
NOTES = dict(re.findall(r"^\[\^(\w+)\]: ((?:.|\n(?! *\[\^))+)", PAGE[len(TEXT) :], re.MULTILINE))


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return frozenset(each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef))


def test_every_note_names_tests_that_are_there() -> None:
    assert len(NOTES) > 50
    named = {note: re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text) for note, text in NOTES.items()}
    assert [note for note, tests in named.items() if not tests] == []
    missing = [
        f"{file}::{test}"
        for tests in named.values()
        for file, test in tests
        if not (ROOT / file).exists() or test not in functions_of(file)
    ]
    assert missing == []


def test_every_promise_has_its_note_and_every_note_its_promise() -> None:
    promises = re.findall(r"^- (?:.|\n(?=  ))+", TEXT, re.MULTILINE)
    assert len(promises) > 50
    assert [promise for promise in promises if not re.search(r"\[\^\w+\]$", promise)] == []
    assert set(re.findall(r"\[\^(\w+)\]", TEXT)) == set(NOTES)


def test_the_identifier_is_called_what_it_is() -> None:
    """A random identifier that stays the same is not anonymous."""
    assert "random identifier" in PAGE
    assert "anonymous" not in PAGE.lower()
