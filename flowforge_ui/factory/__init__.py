"""The composition root: the only place that knows every room.

`build` puts a house together; nothing runs beside requests until the serving process calls `Runtime.start`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import flowforge_ui
from flowforge_ui import __version__
from flowforge_ui.database import after_commit, migrate, open_engine, reading, transaction
from flowforge_ui.platform import installation, page_keys
from flowforge_ui.platform.drivers.localfs import LocalFs
from flowforge_ui.platform.house import Platform
from flowforge_ui.platform.passwords import Passwords
from flowforge_ui.telemetry.boot import PageSettings, relayed_sinks
from flowforge_ui.telemetry.capture import Capture
from flowforge_ui.telemetry.event import utc_now
from flowforge_ui.telemetry.identity import Pseudonyms
from flowforge_ui.telemetry.intake import Intake
from flowforge_ui.telemetry.outbox import Outbox
from flowforge_ui.telemetry.plan import Plan
from flowforge_ui.telemetry.plausible import Plausible
from flowforge_ui.telemetry.redact import Redactor
from flowforge_ui.web import files
from flowforge_ui.web.app import make_app
from flowforge_ui.web.assets import Bundle
from flowforge_ui.web.callers import browser_refuses
from flowforge_ui.web.channels import Channels
from flowforge_ui.web.cookies import Cookies
from flowforge_ui.web.house import House
from flowforge_ui.web.shell import Shell

from .analytics import Analytics
from .recording import LiveRecorder, OptOuts
from .runtime import Runtime, Waker

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy import Engine

    from flowforge_ui.config import Settings
    from flowforge_ui.platform.installation import Installation
    from flowforge_ui.telemetry.event import Clock
    from flowforge_ui.telemetry.ping import Sender

__all__ = ["Runtime", "build", "create_app", "open_database"]

PLAN = Path(flowforge_ui.__file__).parent / "plan"


def open_database(settings: Settings) -> Engine:
    """The platform's database, brought to this program's revision.

    Raises:
        DatabaseTooNew, DatabaseUnreadable: without touching it.
    """
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_engine(settings.database.url)
    migrate(engine)
    return engine


def create_app(settings: Settings, *, clock: Clock = utc_now) -> Flask:
    """The Flask application alone, for whoever serves it otherwise; its runtime hangs in ``app.extensions``."""
    return build(settings, clock=clock).app


def build(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    passwords: Passwords | None = None,
    bundle: Path | None = None,
) -> Runtime:
    """Put the rooms together. `passwords` sets the cost of hashing, `bundle` names another built front end."""
    engine = open_database(settings)
    here = installation.ensure(engine, clock)
    plan = _plan()
    identity = settings.telemetry.frontend.posthog.identity
    pseudonyms = Pseudonyms(here.secret, identity)
    channels = Channels(settings, engine)
    outbox = Outbox(partial(transaction, engine), partial(reading, engine), clock)
    waker = Waker()
    intake = Intake(outbox, wake=waker)
    platform = Platform.build(
        engine=engine,
        clock=clock,
        recorder=LiveRecorder(
            plan,
            outbox,
            lambda tx: channels.now(tx).sinks,
            partial(browser_refuses, settings.telemetry.frontend.respect),
            app_version=__version__,
            identity=identity,
            clock=clock,
            after_commit=after_commit,
            wake=waker,
        ),
        forget=outbox.forget,
        pseudonyms=pseudonyms,
        driver=LocalFs(settings.home / "projects"),
        installation=here,
        passwords=passwords or Passwords(),
    )
    page = _page_settings(settings, here)
    opt_outs = OptOuts(engine, pseudonyms)
    analytics = Analytics(settings.telemetry.frontend.local.url, settings.home)
    capture = Capture(
        plan=plan,
        redactor=Redactor(plan, settings.base_url),
        pseudonyms=pseudonyms,
        intake=intake,
        tokens=partial(_tokens, page, channels, page_keys.remember(engine, clock, page.apikey)),
        sinks=partial(_relayed, page, channels),
        app_version=__version__,
        identity=identity,
        respect_gpc=page.respect_gpc,
        respect_dnt=page.respect_dnt,
        opted_out=opt_outs.opted_out,
        clock=clock,
    )
    house = House(
        settings=settings,
        platform=platform,
        plan=plan,
        outbox=outbox,
        capture=capture,
        page=page,
        plausible=Plausible.of(settings.telemetry.frontend.plausible.domain, settings.telemetry.frontend.plausible.src),
        channels=channels,
        analytics=analytics.store,
        switched=lambda: None,
        sender=cache(partial(_sender, settings, platform, channels)),
        next_ping=lambda: None,
        bundle=Bundle(bundle or files.bundle()),
        shell=Shell(files.templates()),
        cookies=Cookies(settings.base_url),
        csrf_key=here.key("csrf"),
        started_at=clock(),
    )
    runtime = Runtime(house=house, analytics=analytics, intake=intake, opt_outs=opt_outs, waker=waker)
    runtime.app = make_app(replace(house, switched=runtime.switched, next_ping=runtime.next_ping))
    runtime.app.extensions["flowforge"] = runtime
    return runtime


def _sender(settings: Settings, platform: Platform, channels: Channels) -> Sender:
    from .ping import build_sender

    return build_sender(settings, platform, channels)


@cache
def _plan() -> Plan:
    """The plan is part of the program; reading it takes longer than all the rest."""
    return Plan.load(PLAN)


def _page_settings(settings: Settings, here: Installation) -> PageSettings:
    frontend = settings.telemetry.frontend
    posthog = frontend.posthog
    return PageSettings(
        api_host=f"{settings.base_url}/{here.capture_prefix}",
        local_token=here.local_token,
        apikey=posthog.apikey,
        host=posthog.apiurl,
        capture_pageview=posthog.capture_pageview,
        transport=posthog.transport,
        pageleave=posthog.pageleave,
        identity=posthog.identity,
        respect_gpc=frontend.respect.gpc,
        respect_dnt=frontend.respect.dnt,
        dev=settings.test_browser,
    )


def _tokens(page: PageSettings, channels: Channels, keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys the capture endpoint takes right now: pages that were loaded earlier carry the one of their time."""
    return (page.local_token, *keys) if _relayed(page, channels) else ()


def _relayed(page: PageSettings, channels: Channels) -> tuple[str, ...]:
    now = channels.current()
    if not now.setup.finished:
        return ()
    return relayed_sinks(page, posthog=now.decisions["posthog"], local=now.decisions["local"])
