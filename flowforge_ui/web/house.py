"""Everything a request may need, put together once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .cookies import Cookies

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from flowforge_ui.analytics.store import Store
    from flowforge_ui.config import Settings
    from flowforge_ui.platform.house import Platform
    from flowforge_ui.telemetry.boot import PageSettings
    from flowforge_ui.telemetry.capture import Capture
    from flowforge_ui.telemetry.outbox import Outbox
    from flowforge_ui.telemetry.ping import Sender
    from flowforge_ui.telemetry.plan import Plan
    from flowforge_ui.telemetry.plausible import Plausible

    from .assets import Bundle
    from .channels import Channels
    from .shell import Shell


@dataclass(frozen=True)
class House:
    """What requests need of the other rooms.

    `analytics` opens the installation's own store when it is first asked for; it raises StoreError. `switched` is
    called once a changed switch is committed. `sender` gives this process's sender of the core ping; `next_ping` tells
    when this process sends the next one, None where it does not know. `page.api_host` depends on the request and is
    filled in there.
    """

    settings: Settings
    platform: Platform
    plan: Plan
    outbox: Outbox
    capture: Capture
    page: PageSettings
    plausible: Plausible | None
    channels: Channels
    analytics: Callable[[], Store]
    switched: Callable[[], None]
    sender: Callable[[], Sender]
    next_ping: Callable[[], datetime | None]
    bundle: Bundle
    shell: Shell
    cookies: Cookies
    csrf_key: bytes
    started_at: datetime
