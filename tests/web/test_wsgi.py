"""``app:application`` for other servers: nothing happens before the first request."""

from __future__ import annotations

import atexit
import subprocess
import sys
from pathlib import Path

import pytest
from werkzeug.test import Client

import app


def test_the_first_request_builds_and_starts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flowforge.yml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "_runtime", None)
    client = Client(app.application)
    assert client.get("/healthz").status_code == 200
    runtime = app._started()
    try:
        assert runtime.deliveries != ()
        assert client.get("/readyz").status_code == 200
        assert app._started() is runtime
    finally:
        atexit.unregister(runtime.stop)
        runtime.stop()


def test_importing_it_loads_nothing() -> None:
    program = "import app, sys; print(sorted({'flask', 'sqlalchemy', 'duckdb', 'posthog'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(app.__file__).parent, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
