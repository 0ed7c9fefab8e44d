"""`collector.mount: true` puts the collector below /collector of the serving process; the core ping is sent from it."""

from __future__ import annotations

import sqlite3
import uuid
from pathlib import Path

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from flowforge_ui.cli.gate import WORKING
from flowforge_ui.collector.app import Bounded
from flowforge_ui.factory import Runtime
from flowforge_ui.factory.collector import MOUNTED_PLACES
from flowforge_ui.web.headers import common
from tests.web.conftest import Build

TOKEN = "a-token-for-this-test"
MOUNTED = f"telemetry: {{enabled: false}}\ncollector: {{mount: true, access_token: {TOKEN}}}"
PING = {"instanceId": str(uuid.uuid4()), "env": {"flowforge": "0.9.0"}}


@pytest.fixture
def mounted(make: Build) -> Runtime:
    runtime = make(MOUNTED)
    runtime.start()
    return runtime


def test_a_ping_is_taken_below_collector(mounted: Runtime) -> None:
    client = mounted.application.test_client()
    for number, path in enumerate(("/collector/ping", "/collector/", "/collector")):
        body = {**PING, "envelope": {"period": f"2026-03-02T08-{number:08x}"}}
        answer = client.post(path, json=body)
        assert (path, answer.status_code) == (path, 202)
    fleet = client.get("/collector/fleet.json", headers={"Authorization": f"Bearer {TOKEN}"})
    assert fleet.get_json()["counters"]["taken"] == 3


def test_the_platform_is_where_it_was(mounted: Runtime) -> None:
    client = mounted.application.test_client()
    assert client.get("/healthz").status_code == 200
    assert "FlowForge" in client.get("/").get_data(as_text=True)
    # Its page asks for its own policy, not for the platform's.
    policy = client.get("/collector/fleet.json").headers["Content-Security-Policy"]
    assert "trusted-types 'none'" in policy
    assert policy != common(mounted.house.settings.base_url).get("Content-Security-Policy")


def test_it_may_not_take_all_of_the_servers_threads(mounted: Runtime) -> None:
    front = mounted.application.wsgi_app
    assert isinstance(front, DispatcherMiddleware)
    assert isinstance(front.mounts["/collector"], Bounded)
    assert 2 * MOUNTED_PLACES <= WORKING


def test_the_page_is_found_without_the_slash(mounted: Runtime) -> None:
    answer = mounted.application.test_client().get("/collector", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.headers["Location"]) == (308, "collector/")


def test_it_is_not_there_unless_it_is_asked_for(make: Build) -> None:
    runtime = make("telemetry: {enabled: false}")
    runtime.start()
    client = runtime.application.test_client()
    assert client.post("/collector/ping", json=PING).status_code in {403, 404, 405}
    assert not (runtime.house.settings.home / "collector.db").exists()


def test_what_was_acknowledged_is_there_after_the_end(mounted: Runtime) -> None:
    home: Path = mounted.house.settings.home
    assert mounted.application.test_client().post("/collector/ping", json=PING).status_code == 202
    mounted.stop()
    with sqlite3.connect(home / "collector.db") as held:
        assert held.execute("SELECT count(*) FROM ping_raw").fetchone() == (1,)
    held.close()
