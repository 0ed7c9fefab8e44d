"""The core ping's sender as the settings and the platform describe it."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from flowforge_ui import __version__
from flowforge_ui.database import reading, transaction
from flowforge_ui.platform import tables
from flowforge_ui.telemetry import machine
from flowforge_ui.telemetry.ping import Sender
from flowforge_ui.telemetry.wire import PingPlan

from .collector import PING_PLAN

if TYPE_CHECKING:
    from flowforge_ui.config import Settings
    from flowforge_ui.platform.house import Platform
    from flowforge_ui.telemetry.decision import Decision
    from flowforge_ui.telemetry.post import Reply
    from flowforge_ui.web.channels import Channels

HEADERS = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": f"FlowForge/{__version__}"}


def build_sender(settings: Settings, platform: Platform, channels: Channels) -> Sender:
    """The sender of this installation. It waits by sleeping until a loop gives it a pause of its own."""
    url = settings.telemetry.url

    def post(body: bytes) -> Reply:
        # Loaded with the first ping: a platform that sends none never pays for it.
        from flowforge_ui.telemetry.post import post as send

        return send(url, body, headers=HEADERS, proxy=settings.proxy_for(url))

    return Sender(
        plan=PingPlan.load(PING_PLAN),
        url=url,
        decide=partial(_decide, platform, channels),
        facts=partial(facts, settings, platform),
        post=post,
        transaction=partial(transaction, platform.engine),
        clock=platform.clock,
        chance=random.SystemRandom(),
        pause=_sleep,
    )


def facts(settings: Settings, platform: Platform) -> Mapping[str, object]:
    """What the ping says, by the plan's paths: this machine, this version, three counts, one word."""
    with reading(platform.engine) as tx:
        users, teams, projects = (
            tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (tables.users, tables.teams, tables.projects)
        )
    return {
        **machine.facts(),
        "instanceId": platform.installation.instance_id,
        "env.flowforge": __version__,
        "platform.counts.users": users,
        "platform.counts.teams": teams,
        "platform.counts.projects": projects,
        "platform.config.driver": settings.driver.type,
    }


def _decide(platform: Platform, channels: Channels) -> Decision:
    """Read afresh each time: what an administrator has just switched off is off."""
    with reading(platform.engine) as tx:
        return channels.read(tx).decisions["ping"]


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False
