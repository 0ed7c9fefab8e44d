"""Off is off in every combination of environment, file, set-up and Admin Settings, seen from outside the process.

The servers of `test_off_is_off.py` show the same for a running platform, one way of being off at a time.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.every_switch import EVERY, Switches, marker
from tests.support.reaching import LOOKING_UP, REACHING, Listener, traced

ROOT = Path(__file__).parents[2]


def allowed(switches: Switches) -> bool:
    """The documentation's table, from top to bottom."""
    environment = switches.environ in ({}, {"DO_NOT_TRACK": "0", "FLOWFORGE_TELEMETRY_DISABLED": ""})
    return environment and switches.file is not False and switches.set_up and switches.chosen in {None, "true"}


@dataclass(frozen=True)
class Seen:
    """Each combination's outcome, how many pings came, and strace's lines by combination (None without strace)."""

    outcomes: list[str]
    pings: int
    knocks: int
    lines: list[list[str]] | None


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    home = tmp_path_factory.mktemp("switches")
    listener = Listener()
    try:
        url = f"http://localhost:{listener.port}/ping"
        trace = home / "trace"
        done = subprocess.run(
            [*traced(str(trace)), sys.executable, "-m", "tests.support.every_switch", str(home), url],
            cwd=ROOT,
            env={**os.environ, "NO_PROXY": "*"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outcomes = [line.split()[1] for line in done.stdout.splitlines()]
        lines = _by_combination(trace.read_text("utf-8", "replace")) if trace.exists() else None
        return Seen(outcomes, len(listener.bodies), listener.knocks, lines)
    finally:
        listener.stop()


def _by_combination(trace: str) -> list[list[str]]:
    places = [trace.index(f'"{marker(number)}"') for number in range(len(EVERY))]
    return [trace[start:end].splitlines() for start, end in zip(places, [*places[1:], len(trace)], strict=True)]


def test_the_table_decides(seen: Seen) -> None:
    assert len(EVERY) == 5 * 3 * 2 * 4
    assert seen.outcomes == ["sent" if allowed(each) else "off" for each in EVERY]
    on = sum(map(allowed, EVERY))
    assert (seen.pings, seen.knocks) == (on, on)
    assert 0 < on < len(EVERY)


@pytest.mark.parametrize("attempt", [REACHING, LOOKING_UP], ids=["connection", "name"])
def test_where_it_is_off_nothing_is_tried(seen: Seen, attempt: re.Pattern[str]) -> None:
    if seen.lines is None:
        pytest.skip("strace is not installed: what the process asked of the system cannot be seen")
    tried = [any(attempt.search(line) for line in lines) for lines in seen.lines]
    assert tried == [allowed(each) for each in EVERY]
