"""Processes to be killed: one that takes events in, one that delivers them. Run as programs by the crash tests.

`intake DATABASE` posts events from four threads and prints the uuid of each after its 200.
`deliver DATABASE URL KEY WHERE NTH` delivers to PostHog and kills itself at the NTH time it comes to WHERE.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine

import flowforge_ui
from flowforge_ui.database import open_engine, reading, transaction
from flowforge_ui.telemetry.delivery import Delivery
from flowforge_ui.telemetry.event import new_uuid, utc_now
from flowforge_ui.telemetry.outbox import Claimed, Outbox
from flowforge_ui.telemetry.plan import Plan
from flowforge_ui.telemetry.posthog import PostHogSink
from tests.support.capture import endpoint, view


def take_in(engine: Engine) -> None:
    plan = Plan.load(Path(flowforge_ui.__file__).parent / "plan")
    site = endpoint(engine, plan, utc_now)

    def post() -> None:
        while True:
            events = [{**view(), "uuid": new_uuid()} for _ in range(5)]
            if site.status(json.dumps(events).encode()) == 200:
                os.write(1, "".join(f"{event['uuid']}\n" for event in events).encode())

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()


class MortalOutbox(Outbox):
    """Dies before what was delivered is noted, while it is being noted, or right after."""

    def __init__(self, engine: Engine, where: str, nth: int) -> None:
        @contextmanager
        def mortal() -> Iterator[Connection]:
            with transaction(engine) as tx:
                yield tx
                self._die_at("within")

        super().__init__(mortal, partial(reading, engine))
        self._where, self._nth, self._count = where, nth, itertools.count(1)

    def _die_at(self, where: str) -> None:
        if where == self._where and next(self._count) == self._nth:
            os.kill(os.getpid(), signal.SIGKILL)

    def done(self, sink: str, claimed: Iterable[Claimed]) -> None:
        self._die_at("before")
        super().done(sink, claimed)
        self._die_at("after")


def deliver(engine: Engine, url: str, key: str, where: str, nth: int) -> None:
    outbox = MortalOutbox(engine, where, nth)
    sink = PostHogSink(key, url)
    sink.batch = 10
    delivery = Delivery(outbox, sink)
    while delivery.health().pending:
        delivery.step()
    sink.close()


def main() -> None:
    mode, database, *rest = sys.argv[1:]
    engine = open_engine(f"sqlite:///{database}")
    if mode == "intake":
        take_in(engine)
    else:
        url, key, where, nth = rest
        deliver(engine, url, key, where, int(nth))


if __name__ == "__main__":
    main()
