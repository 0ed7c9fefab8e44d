"""A collector as the settings describe it, on its own or mounted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import Request

import flowforge_ui
from flowforge_ui.collector.app import Bounded
from flowforge_ui.collector.service import Parts, Service
from flowforge_ui.telemetry.wire import PingPlan
from flowforge_ui.web import files
from flowforge_ui.web.proxy import client_address

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from flowforge_ui.config import Settings

# Half of those that are at work in a process may wait for the collector's database, the others are the platform's.
MOUNTED_PLACES = 16

PING_PLAN = Path(flowforge_ui.__file__).parent / "plan" / "ping.yml"


def bounded(service: Service) -> WSGIApplication:
    """Its application as it may stand below another one."""
    return Bounded(cast("WSGIApplication", service.application), MOUNTED_PLACES)


def build_collector(settings: Settings) -> Service:
    """The collector these settings describe, not started."""

    def address_of(request: Request) -> str | None:
        forwarded = ",".join(request.headers.getlist("X-Forwarded-For"))
        return client_address(request.remote_addr or "", forwarded, settings.trusted_proxies)

    ours = settings.collector
    return Service(
        Parts(
            plan=PingPlan.load(PING_PLAN),
            home=settings.home,
            database_url=ours.database_url,
            key_file=ours.key_file,
            access_token=ours.access_token,
            public=ours.public,
            retention_days=ours.retention_days,
            dist=files.bundle(),
            address_of=address_of,
        )
    )
