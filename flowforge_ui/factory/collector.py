"""A collector as the settings describe it, on its own or mounted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Request

import flowforge_ui
from flowforge_ui.collector.service import Parts, Service
from flowforge_ui.telemetry.wire import PingPlan
from flowforge_ui.web import files
from flowforge_ui.web.proxy import client_address

if TYPE_CHECKING:
    from flowforge_ui.config import Settings

PING_PLAN = Path(flowforge_ui.__file__).parent / "plan" / "ping.yml"


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
