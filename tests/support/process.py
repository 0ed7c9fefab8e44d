"""A real ``flowforge`` process its output kept, to be stopped or killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Running:
    """A process and where it listens; ``log`` holds everything it printed."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def kill(self) -> None:
        """SIGKILL to supervisor and workers alike: nothing gets to clean up."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


@contextlib.contextmanager
def flowforge(
    *command: str, cwd: Path, url: str, environ: Mapping[str, str] | None = None, health: str = "/healthz"
) -> Iterator[Running]:
    """``flowforge command...`` in ``cwd``, once it answers below ``url``; killed at the end if it still runs."""
    log = cwd / f"output-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "flowforge_ui", *command],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **(environ or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Running(process, url, log)
    try:
        _wait_until_it_answers(running, url + health)
        yield running
    finally:
        running.kill()


def _wait_until_it_answers(running: Running, url: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if running.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"it does not answer: {running.log.read_text(errors='replace')}")
