"""WSGI entry for other servers (``app:application``), and ``python app.py`` for this one. Wires nothing else."""

from __future__ import annotations

import atexit
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from flowforge_ui.factory import Runtime

_lock = threading.Lock()
_runtime: Runtime | None = None


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Built and started by the first request, in the process that answers it, after any fork."""
    return _started().app(environ, start_response)


def _started() -> Runtime:
    global _runtime  # noqa: PLW0603 - one a process, made when first asked for
    with _lock:
        if _runtime is None:
            from flowforge_ui.config import find, load
            from flowforge_ui.factory import build

            here = Path.cwd()
            runtime = build(load(find(None, os.environ, cwd=here), os.environ, cwd=here))
            runtime.start()
            atexit.register(runtime.stop)
            _runtime = runtime
        return _runtime


if __name__ == "__main__":
    from flowforge_ui.cli import main

    main(["run"])
