"""Ports that stay this process's own, from choosing one until somebody listens there, and while nobody should.

A port the system picks (``bind`` to 0) is one it may give to the next connection: taken between the choice and the
start, the program under test finds it in use. These lie below the ones that systems pick from (Linux: 32768, others:
49152), and a block of them belongs to the process that holds its lock.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

FIRST, LAST, BLOCK = 16_000, 32_000, 250

_LOCK = threading.Lock()


def _reserved() -> Iterator[int]:
    """One port after the other, none twice, from blocks that no other process on this machine draws from."""
    folder = Path(tempfile.gettempdir()) / f"flowforge-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    blocks = range(FIRST, LAST, BLOCK)
    start = os.getpid() % len(blocks)
    for number in range(len(blocks)):
        block = blocks[(start + number) % len(blocks)]
        lock = os.open(folder / str(block), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        yield from range(block, block + BLOCK)  # the lock is never let go: it ends with the process


_PORTS = _reserved()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that nobody else is given while this process lives."""
    with _LOCK:
        for port in _PORTS:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port
    raise AssertionError(f"no port is left between {FIRST} and {LAST}")
