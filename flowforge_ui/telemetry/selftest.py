"""Proof, on this machine, that off is off: the sender runs with the network denied, every attempt is written down.

A second run with the ping on shows that an attempt would have been seen. Nothing is sent and nothing is kept in either.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from .decision import Decision, Facts, Stated, decide
from .ping import Sender

# The interpreter raises these before it does what they name; a hook that raises prevents it.
_EVENTS = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.getnameinfo",
        "socket.sendto",
        "socket.sendmsg",
        "subprocess.Popen",
        "os.system",
        "os.posix_spawn",
        "os.exec",
        "ctypes.dlopen",
    }
)


class Denied(OSError):
    """The network is not there for this run."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Attempts made with the ping off (none, if the promise holds) and on (at least one, or nothing was proved)."""

    off: tuple[str, ...]
    on: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.off and bool(self.on)


class _Watch:
    """An audit hook cannot be taken away again; this one can be told to look away."""

    def __init__(self) -> None:
        self.attempts: list[str] | None = None
        sys.addaudithook(self._hook)

    @contextmanager
    def denying(self) -> Iterator[list[str]]:
        found: list[str] = []
        self.attempts = found
        try:
            yield found
        finally:
            self.attempts = None

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.attempts is not None and event in _EVENTS:
            self.attempts.append(f"{event} {arguments[1:] if event == 'socket.connect' else arguments[:2]}")
            raise Denied(f"denied: {event}")


def prove(sender: Sender) -> Proof:
    """Run the sender twice, off and on, changing nothing."""
    watch = _Watch()
    off = Facts(setup_finished=True, sending=Stated(value=False, layer="file", where="selftest"))
    on = Facts(setup_finished=True, admin_telemetry=True)
    return Proof(tuple(_attempts(watch, sender, off)), tuple(_attempts(watch, sender, on)))


def _attempts(watch: _Watch, sender: Sender, facts: Facts) -> list[str]:
    def decided() -> Decision:
        return decide("ping", facts)

    @contextmanager
    def undone() -> Iterator[Connection]:
        with sender.transaction() as tx:
            kept = tx.begin_nested()
            try:
                yield tx
            finally:
                kept.rollback()

    trial = replace(sender, decide=decided, transaction=undone, pause=lambda _: True)
    with sender.transaction():  # the database is open before the network is denied: it may be at the end of one
        pass
    sender.facts()
    with watch.denying() as found:
        trial.send(even_if_recent=True)
    return found
