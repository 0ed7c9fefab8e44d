"""Off is off, seen from outside the serving process: no connection, no name looked up, whatever switched it off.

Each case is a real ``flowforge run`` whose ``telemetry.url`` names a listener of the test by a host name, so that a
ping would have to look it up; strace, where it is there, writes down every call that could.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.support.ports import free_port
from tests.support.reaching import LOOKING_UP, REACHING, STRACE, Listener, traced

ROOT = Path(__file__).parents[2]
SAID = "No core ping is sent: it is off."


@dataclass(frozen=True)
class Case:
    """One way of being off; ``on`` marks the control."""

    name: str
    telemetry: Mapping[str, object] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    init: tuple[str, ...] | None = ()
    on: bool = False


CASES = [
    Case("on", on=True),
    Case("DO_NOT_TRACK", environ={"DO_NOT_TRACK": "1"}),
    Case("FLOWFORGE_TELEMETRY_DISABLED", environ={"FLOWFORGE_TELEMETRY_DISABLED": "1"}),
    Case("file", {"enabled": False}),
    Case("admin", init=("--no-telemetry",)),
    Case("setup", init=None),
]


@dataclass(frozen=True)
class Seen:
    """What one run did: pings that arrived, connections to the listener, and strace's lines (None without strace)."""

    case: Case
    bodies: list[bytes]
    knocks: int
    trace: str | None


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    case: Case = request.param
    home = tmp_path_factory.mktemp(case.name)
    listener = Listener()
    try:
        _configure(home, case, listener.port)
        if case.init is not None:
            _set_up(home, *case.init)
        with _running(home, case) as log:
            if case.on:
                _until(lambda: bool(listener.bodies), log)
            elif case.init is not None:
                _until(lambda: SAID in log.read_text("utf-8"), log)
            else:
                time.sleep(3)  # nothing comes of it, so there is nothing to wait for
        return Seen(case, list(listener.bodies), listener.knocks, _trace(home))
    finally:
        listener.stop()


def test_a_listener_hears_nothing_unless_it_is_on(seen: Seen) -> None:
    assert (len(seen.bodies), seen.knocks) == ((1, 1) if seen.case.on else (0, 0))


def test_no_connection_is_tried(seen: Seen) -> None:
    assert bool(_matching(REACHING, seen)) is seen.case.on


def test_no_name_is_looked_up(seen: Seen) -> None:
    assert bool(_matching(LOOKING_UP, seen)) is seen.case.on


def test_the_ping_begins_with_the_end_of_the_set_up(tmp_path: Path) -> None:
    """The same process that kept still sends once the set-up is finished: it was alive all the time."""
    listener = Listener()
    try:
        case = Case("later", init=None)
        _configure(tmp_path, case, listener.port)
        with _running(tmp_path, case) as log:
            time.sleep(1)
            assert listener.knocks == 0
            _set_up(tmp_path)
            _until(lambda: bool(listener.bodies), log)
    finally:
        listener.stop()


def _matching(pattern: re.Pattern[str], seen: Seen) -> list[str]:
    if seen.trace is None:
        pytest.skip("strace is not installed: what the process asked of the system cannot be seen")
    return [line for line in seen.trace.splitlines() if pattern.search(line)]


def _configure(home: Path, case: Case, port: int) -> None:
    telemetry = {"url": f"http://localhost:{port}/ping", **case.telemetry}
    settings = {"port": free_port(), "home": str(home / "var"), "telemetry": telemetry}
    (home / "flowforge.yml").write_text(yaml.safe_dump(settings), "utf-8")


def _environ(case: Case | None = None) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name != "DO_NOT_TRACK"}
    mine = {"PYTHONPATH": str(ROOT), "NO_PROXY": "*", "FLOWFORGE_TEST_PING_AFTER_S": "0.5"}
    return {**plain, **mine, **(case.environ if case else {})}


def _set_up(home: Path, *options: str) -> None:
    command = [sys.executable, "-m", "flowforge_ui", "init", "--admin", "root", "--password-stdin", *options]
    done = subprocess.run(
        command, cwd=home, env=_environ(), input="correct horse battery", text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@contextlib.contextmanager
def _running(home: Path, case: Case) -> Iterator[Path]:
    """The server, under strace where there is one; its log."""
    command = [*traced(str(home / "trace")), sys.executable, "-m", "flowforge_ui", "run"]
    log = home / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=home,
            env=_environ(case),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _until(lambda: "Ctrl-C ends it" in log.read_text("utf-8"), log)
            _until((home / "var" / "flowforge.db").exists, log)
            yield log
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def _trace(home: Path) -> str | None:
    return (home / "trace").read_text("utf-8", "replace") if STRACE else None


def _until(truth: Callable[[], bool], log: Path, seconds: float = 150) -> None:
    end = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < end, log.read_text("utf-8")
        time.sleep(0.05)
