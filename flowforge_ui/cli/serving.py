"""Granian around the application: one process that supervises, workers that serve.

A worker builds the application after the fork, starts its threads, and stops them when the last request is answered,
so that what was acknowledged is flushed. A worker whose supervisor has died ends itself: it would hold port and
analytics file against the next start.
"""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import resource
import signal
import socket
import threading
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Protocol

from flowforge_ui.processors import keep_together

from .gate import THREADS, Gate, watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

BACKLOG = 1024
# Connections at a time, idle ones included; beyond it nobody is let in.
CONNECTIONS = 4096
FILES = CONNECTIONS + 1024
# For a request's headers, and for an idle connection.
HEADER_SECONDS = 15
# Of headers a connection may hold.
BUFFER = 64 * 1024
STOP_SECONDS = 30


class Served(Protocol):
    """What a worker serves, and how it is started and stopped."""

    @property
    def application(self) -> WSGIApplication: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class PortTaken(Exception):
    """Somebody else listens there, or this user may not."""


def check_port(host: str, port: int) -> None:
    """Raise `PortTaken` unless this process could listen on ``host:port``.

    Granian shares its port between workers (SO_REUSEPORT), with which a second server would start beside the first.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        why = {
            errno.EADDRINUSE: "is in use by another program",
            errno.EACCES: "needs more rights than this user has",
            errno.EADDRNOTAVAIL: "is not an address of this machine",
        }.get(error.errno or 0, f"cannot be used ({os.strerror(error.errno or 0)})")
        raise PortTaken(f"{host}:{port} {why}; set another with `port:` in flowforge.yml or FLOWFORGE_PORT.") from error
    except (UnicodeError, OverflowError) as error:
        raise PortTaken(f"{host}:{port} is no address that one can listen on.") from error


def _allow_files(wanted: int) -> None:
    """As many open files as that, if this user may: a connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _end_with_supervisor() -> None:
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        wait([supervisor.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def serve(build: Callable[[], Served], *, host: str, port: int, workers: int) -> None:
    """Serve until SIGINT or SIGTERM. ``build`` is called in each worker, which is forked (Linux)."""
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server.mp import MPServer

    # Logs and temporary files of the databases are made by their engines, with whatever the umask leaves.
    os.umask(0o077)
    serving: list[Served] = []

    def load(_target: str) -> WSGIApplication:
        threading.Thread(target=_end_with_supervisor, name="supervisor watch", daemon=True).start()
        served = build()
        served.start()
        serving.append(served)
        gate = Gate(served.application)
        threading.Thread(target=watch, args=(gate, port), name="slow senders", daemon=True).start()
        keep_together()  # the threads that answer requests: Granian starts them after this one
        return gate

    def work(*arguments: Any) -> None:
        try:
            MPServer._spawn_wsgi_worker(*arguments)  # noqa: SLF001 - Granian takes a spawn target but exports none
        finally:
            for served in serving:
                served.stop()

    _allow_files(FILES)
    server = MPServer(
        "flowforge",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        http=HTTPModes.http1,  # what is behind the other modes waits for a first byte for ever
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=BUFFER),
        websockets=False,
        log_level=LogLevels.error,
        log_access=False,  # it would hold addresses and query strings
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    )
    server.serve(spawn_target=work, target_loader=load)
