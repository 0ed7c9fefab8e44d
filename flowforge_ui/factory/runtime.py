"""What runs beside the requests of one serving process: deliveries and jobs, started and stopped together."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, cast

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from flowforge_ui.analytics import retention
from flowforge_ui.analytics.errors import StoreError
from flowforge_ui.jobs import Job, Jobs
from flowforge_ui.telemetry.delivery import Delivery
from flowforge_ui.telemetry.outbox import KEEP_DAYS, SINKS
from flowforge_ui.telemetry.ping import Loop
from flowforge_ui.telemetry.schedule import FIRST

from .analytics import OpeningSink
from .every import Every
from .leases import Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import WSGIApplication

    from flask import Flask

    from flowforge_ui.telemetry.decision import Channel
    from flowforge_ui.telemetry.intake import Intake
    from flowforge_ui.telemetry.sinks import Sink
    from flowforge_ui.web.house import House

    from .analytics import Analytics
    from .recording import OptOuts

log = logging.getLogger(__name__)

KEEP_AUDIT = timedelta(days=365)
HOUR, DAY = 3600.0, 86_400.0
NOTED_SECONDS = 5.0
COLLECTOR = "/collector"


class Beside(Protocol):
    """Something that runs beside the requests."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


class Waker:
    """Wakes whoever has to hear that something was recorded; in a process that delivers nothing, nobody."""

    def __init__(self) -> None:
        self.sleepers: tuple[Callable[[], None], ...] = ()

    def __call__(self) -> None:
        for wake in self.sleepers:
            wake()


class Runtime:
    """`app` answers requests at any time; between `start` and `stop` what was recorded is delivered, too."""

    app: Flask

    def __init__(self, *, house: House, analytics: Analytics, intake: Intake, opt_outs: OptOuts, waker: Waker) -> None:
        self.house = house
        self.deliveries: tuple[Delivery, ...] = ()
        self.jobs: Jobs | None = None
        self._analytics, self._intake, self._opt_outs, self._waker = analytics, intake, opt_outs, waker
        self._leases: tuple[Lease, ...] = ()
        self._beside: tuple[Beside, ...] = ()
        self._pings: Loop | None = None

    @property
    def application(self) -> Flask:
        return self.app

    def start(self) -> None:
        """Start the threads of this process; once."""
        self._open_analytics()
        self._abandon_switched_off()
        self.deliveries = tuple(self._deliveries())
        self._waker.sleepers = tuple(delivery.wake for delivery in self.deliveries)
        self.jobs = Jobs(self.house.platform.engine, self.house.platform.clock, self._table())
        self._beside = (*self._mounted(), self._ping(), *self._noted())
        together: tuple[Beside, ...] = (*self.deliveries, self.jobs, *self._beside)
        for each in together:
            each.start()

    def stop(self) -> None:
        """End the threads, write what was only noted, let go of everything. Without `start` it only lets go."""
        with ExitStack() as stack:
            stack.callback(self.house.platform.engine.dispose)
            stack.callback(self._analytics.close)
            for lease in self._leases:
                stack.callback(lease.release)
            stack.callback(self._intake.flush)
            for delivery in self.deliveries:
                stack.callback(delivery.stop)
            if self.jobs is not None:
                stack.callback(self.jobs.stop)
            for each in self._beside:
                stack.callback(each.stop)
        self.deliveries, self.jobs, self._beside = (), None, ()

    def switched(self) -> None:
        """Somebody has turned a switch or opted out: forget what was believed, and drop what nobody may have now."""
        self.house.channels.changed()
        self._opt_outs.changed()
        self._abandon_switched_off()

    def next_ping(self) -> datetime | None:
        """When the core ping goes out next; None while nothing runs, or where another process may send it."""
        return None if self._pings is None or self._shared else self._pings.due

    def _open_analytics(self) -> None:
        if self.house.channels.current().on("local"):
            try:
                self._analytics.store()
            except StoreError as error:
                log.warning("%s Events are kept until it can be opened.", error)

    def _abandon_switched_off(self) -> None:
        """What waits for a sink that was switched off is never delivered; it would wait for ever."""
        now = self.house.channels.current()
        sinks: tuple[Channel, ...] = ("local", "posthog")
        for name in sinks:
            if name in SINKS and now.setup.finished and not now.on(name) and self.house.outbox.backlog(name).pending:
                log.info("%s is off: %s waiting events are dropped", name, self.house.outbox.abandon(name))

    def _ping(self) -> Beside:
        """The core ping's loop. Whether it may send is decided at each ping, not here."""
        house = self.house
        after = house.settings.test_ping_after_s
        self._pings = Loop(
            house.sender(),
            lambda: house.channels.current().setup.finished,
            first=FIRST if after is None else timedelta(seconds=after),
        )
        return self._pings

    def _noted(self) -> Iterator[Beside]:
        """Each process writes what it has refused, so that the console of another one knows."""
        if self._shared:
            yield Every("refused requests", NOTED_SECONDS, self._intake.flush)

    def _mounted(self) -> Iterator[Beside]:
        """The collector below /collector of this server, where the settings ask for it."""
        if self.house.settings.collector.mount:
            from .collector import bounded, build_collector

            service = build_collector(self.house.settings)
            # Outermost: the collector answers with its own headers, and under its own limits.
            below = {COLLECTOR: bounded(service)}
            self.app.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
                cast("WSGIApplication", self.app.wsgi_app), below
            )
            yield service

    def _deliveries(self) -> Iterator[Delivery]:
        yield self._delivery("local", OpeningSink(self._analytics))
        settings = self.house.settings
        posthog = settings.telemetry.frontend.posthog
        if posthog.apikey is not None and settings.sending_disabled_by is None:
            from flowforge_ui.telemetry.posthog import PostHogSink

            proxy = settings.proxy_for(posthog.apiurl)
            yield self._delivery("posthog", PostHogSink(posthog.apikey, posthog.apiurl, proxy=proxy))

    def _delivery(self, channel: Channel, sink: Sink) -> Delivery:
        platform = self.house.platform
        lease = Lease(platform.engine, platform.clock, f"delivery {channel}") if self._shared else None
        if lease is not None:
            self._leases += (lease,)

        def may_run() -> bool:
            return self.house.channels.current().on(channel) and (lease is None or lease.held())

        among = self._opt_outs.among
        return Delivery(self.house.outbox, sink, platform.clock, may_run=may_run, opted_out=among)

    @property
    def _shared(self) -> bool:
        """Whether other processes may work on the same database."""
        return self.house.settings.workers > 1 or self.house.platform.engine.dialect.name != "sqlite"

    def _table(self) -> list[Job]:
        chores = self.house.platform.chores(keep_audit=KEEP_AUDIT)
        return [
            *(Job(f"platform {name}", chore, every_seconds=HOUR) for name, chore in chores.items()),
            Job("outbox", self._prune_outbox, every_seconds=HOUR),
            Job("analytics", self._prune_analytics, every_seconds=DAY),
        ]

    def _prune_outbox(self) -> None:
        self._abandon_switched_off()
        self._intake.flush()
        self.house.outbox.prune(self.house.platform.clock() - timedelta(days=KEEP_DAYS))

    def _prune_analytics(self) -> None:
        if self.house.channels.current().on("local"):
            days = self.house.settings.telemetry.frontend.local.retention_days
            retention.prune(self._analytics.store(), days, self.house.platform.clock())
