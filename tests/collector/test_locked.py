"""A database that somebody holds locked is away: pings go to the spool, and nobody else waits for them."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Response

from flowforge_ui.collector import store, writer
from flowforge_ui.collector.app import Bounded
from tests.collector.test_spool import held, wait_for
from tests.support.collector import House


@contextlib.contextmanager
def locked(house: House) -> Iterator[None]:
    """By another program."""
    engine = sa.create_engine(house.service.store.engine.url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.exec_driver_sql("LOCK TABLE ping_raw, installation")
            yield
            connection.rollback()
    finally:
        engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_pings_go_to_the_spool_while_the_database_is_locked(
    build: Callable[..., House], kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_S", 1)
    monkeypatch.setattr(writer, "PAUSE_FACTOR", 0)
    house = build(url=request.getfixturevalue("postgres_url") if kind == "postgresql" else None)
    answers: list[int] = []

    def send() -> None:
        client = house.service.application.test_client()
        answers.append(client.post("/ping", json=house.ping(instanceId=str(uuid.uuid4()))).status_code)

    threads = [threading.Thread(target=send) for _ in range(40)]
    with locked(house):
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert house.service.spool.waiting()
    assert answers == [202] * 40
    wait_for(lambda: not house.service.spool.waiting())
    assert held(house) == 40


def test_who_waits_is_answered_before_a_platform_would_give_up() -> None:
    """The lock of the database, and once more where something else of ours was waiting for it before."""
    assert 2 * store.BUSY_S < writer.KEEP_S < 10


def test_below_a_platform_only_so_many_wait(house: House) -> None:
    """The places are taken by requests that wait; the next is asked to come back, a file is still served."""
    inside, leave = threading.Semaphore(0), threading.Event()

    def slow(environ: Any, start_response: Any) -> Any:
        if not environ["PATH_INFO"].startswith("/assets/"):
            inside.release()
            leave.wait()
        return Response("done")(environ, start_response)

    client = Client(Bounded(slow, 2))
    answers: list[TestResponse] = []
    threads = [threading.Thread(target=lambda: answers.append(client.post("/ping"))) for _ in range(2)]
    for each in threads:
        each.start()
        inside.acquire()
    refused = client.post("/ping")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert refused.get_json()["code"] == "overloaded"
    assert client.get("/assets/fleet.js").status_code == 200
    leave.set()
    for each in threads:
        each.join()
    assert [each.status_code for each in [*answers, client.post("/ping")]] == [200] * 3
