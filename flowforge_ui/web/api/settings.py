"""Admin Settings: what was chosen, what takes effect, and who decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowforge_ui.platform import settings as chosen_settings

from . import shapes
from .table import Guard, Table

if TYPE_CHECKING:
    from flowforge_ui.web.channels import Now

    from .call import Call

ENDPOINTS = Table("/api/v1")
on = ENDPOINTS.on

_TEXTS = {
    chosen_settings.TELEMETRY_ENABLED: (
        "Core telemetry",
        (
            "Half a minute after a start, and then once a day, tell the makers of FlowForge that this installation "
            "exists: a random identifier, the operating system, the processor's kind, the versions of Python and "
            "FlowForge, the kind of driver, and how many users, teams and projects there are. No names, no flows."
        ),
    ),
    chosen_settings.LOCAL_ANALYTICS: (
        "Usage analytics on this server",
        (
            "Keep page views and actions in this installation's own store, under pseudonyms, and show Insights. "
            "Nothing of it leaves this server."
        ),
    ),
    chosen_settings.USER_SIGNUP: (
        "Self-registration",
        "Anybody who can reach this server may create an account.",
    ),
}


@on("GET", "/settings", Guard.ADMIN, "Every switch", answer=shapes.Settings)
def index(call: Call[None]) -> shapes.Settings:
    with call.reading() as tx:
        return _shaped(call.house.channels.read(tx))


@on("PATCH", "/settings", Guard.ADMIN, "Turn switches", body=shapes.SettingsPatch, answer=shapes.Settings)
def change(call: Call[shapes.SettingsPatch]) -> shapes.Settings:
    with call.switching() as tx:
        chosen_settings.change(tx, call.ledger, call.actor, call.body.root)
    with call.reading() as tx:
        return _shaped(call.house.channels.read(tx))


def _shaped(now: Now) -> shapes.Settings:
    ping, local = now.decisions["ping"], now.decisions["local"]
    signup = now.chosen.user_signup
    rows = {
        chosen_settings.TELEMETRY_ENABLED: (
            now.chosen.telemetry_enabled is not False,
            ping.allowed,
            ping.locked,
            ping.decided_by,
            ping.explanation,
        ),
        chosen_settings.LOCAL_ANALYTICS: (
            now.chosen.local_analytics is True,
            local.allowed,
            local.locked,
            local.decided_by,
            local.explanation,
        ),
        chosen_settings.USER_SIGNUP: (
            signup is True,
            signup is True,
            False,
            "default" if signup is None else "admin",
            "It is switched on." if signup else "It is switched off.",
        ),
    }
    return shapes.Settings(
        settings=[
            shapes.Setting(
                key=key,
                label=_TEXTS[key][0],
                help=_TEXTS[key][1],
                type="boolean",
                value=value,
                effective=effective,
                locked=locked,
                decided_by=decided_by,
                explanation=explanation,
            )
            for key, (value, effective, locked, decided_by, explanation) in rows.items()
        ]
    )
