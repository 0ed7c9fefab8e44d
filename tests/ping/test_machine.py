"""The machine in the existing fleet's words, whatever this one's system calls itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowforge_ui.telemetry import machine
from flowforge_ui.telemetry.wire import PingPlan

PLAN = PingPlan.load(Path(__file__).parents[2] / "flowforge_ui" / "plan" / "ping.yml")


@pytest.mark.parametrize(
    ("system", "word"), [("Linux", "Linux"), ("Darwin", "Darwin"), ("Windows", "Windows_NT"), ("FreeBSD", "FreeBSD")]
)
def test_systems(system: str, word: str) -> None:
    assert machine.os_type(system) == word


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("x86_64", "x64"),
        ("AMD64", "x64"),
        ("aarch64", "arm64"),
        ("arm64", "arm64"),
        ("i686", "ia32"),
        ("armv7l", "arm"),
    ],
)
def test_processors(name: str, word: str) -> None:
    assert machine.architecture(name) == word


@pytest.mark.parametrize(
    ("release", "kept"),
    [
        ("6.1.0-18-amd64", "6.1.0-18"),
        ("23.6.0", "23.6.0"),
        ("10", "10"),
        # Whoever builds a kernel may write their name into it.
        ("6.8.0-alice@plant.example", "6.8.0"),
        ("plant-7", ""),
        ("", ""),
    ],
)
def test_of_a_release_only_its_numbers(release: str, kept: str) -> None:
    assert machine.os_release(release) == kept


def test_this_machine_fits_the_plan() -> None:
    fields = {each.path: each for each in PLAN.fields}
    assert {path: fields[path].check(value) for path, value in machine.facts().items()} == machine.facts()
