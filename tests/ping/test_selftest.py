"""The selftest finds what it is there to find, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from flowforge_ui.database import transaction
from flowforge_ui.telemetry import archive
from flowforge_ui.telemetry.archive import Occasion
from flowforge_ui.telemetry.decision import Facts, decide
from flowforge_ui.telemetry.ping import Result, Sender
from flowforge_ui.telemetry.post import Post, Reply, post
from flowforge_ui.telemetry.selftest import prove
from flowforge_ui.telemetry.wire import PingPlan
from tests.conftest import FakeClock
from tests.support.hostile import answer, hostile

PLAN = PingPlan.load(Path(__file__).parents[2] / "flowforge_ui" / "plan" / "ping.yml")
Make = Callable[..., Sender]


@pytest.fixture
def make(engine: Engine, clock: FakeClock) -> Make:
    def build(poster: Post) -> Sender:
        return Sender(
            plan=PLAN,
            url="http://127.0.0.1/ping",
            decide=lambda: decide("ping", Facts(setup_finished=True)),
            facts=dict,
            post=poster,
            transaction=partial(transaction, engine),
            clock=clock,
            chance=random.Random(1),
            pause=lambda _: False,
        )

    return build


def test_off_is_off_and_on_would_have_been_seen(make: Make) -> None:
    with hostile(answer("202 Accepted", b"{}")) as server:
        proof = prove(make(partial(post, server.url, headers={}, total_s=2)))
        assert proof.holds
        assert proof.off == ()
        assert any(attempt.startswith("socket.") for attempt in proof.on)
        assert server.requests == []


class Leaky(Sender):
    """Looks a name up whether or not it may send."""

    def send(self, *, occasion: Occasion | None = None, even_if_recent: bool = False) -> Result:
        with contextlib.suppress(OSError):
            socket.getaddrinfo("localhost", 80)
        return super().send(occasion=occasion, even_if_recent=even_if_recent)


def test_a_sender_that_reaches_out_though_off_is_found(make: Make) -> None:
    sender = make(lambda _: Reply(202, b"{}", None))
    leaky = Leaky(**{each.name: getattr(sender, each.name) for each in fields(Sender) if each.init})
    proof = prove(leaky)
    assert not proof.holds
    assert proof.off == ("socket.getaddrinfo ('localhost', 80)",)


def test_a_test_that_could_not_have_seen_anything_proves_nothing(make: Make) -> None:
    assert not prove(make(lambda _: Reply(202, b"{}", None))).holds


def test_it_leaves_nothing_behind(make: Make, engine: Engine) -> None:
    sender = make(partial(post, "http://127.0.0.1:9/ping", headers={}, total_s=1))
    sender.preview()  # the row is there
    with sender.transaction() as tx:
        before = tx.execute(sa.select(archive.state)).all()
    prove(sender)
    with sender.transaction() as tx:
        assert tx.execute(sa.select(archive.state)).all() == before
        assert archive.history(tx) == []
    # And the network is back.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        free.listen()
        socket.create_connection(free.getsockname(), timeout=5).close()
