"""The facts a page starts with (docs/api.md, "Boot facts")."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flowforge_ui import __version__
from flowforge_ui.telemetry.boot import Person, telemetry_facts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from flowforge_ui.telemetry.decision import Channel

    from .callers import Caller
    from .channels import Now
    from .house import House


def facts(house: House, tx: Connection, caller: Caller) -> dict[str, Any]:
    """Everything the client may know before its first request; values are JSON's own types."""
    return facts_at(house, house.channels.now(tx), caller)


def facts_at(house: House, now: Now, caller: Caller) -> dict[str, Any]:
    """`facts` where it is known already what is on."""
    user = caller.user
    return {
        "version": __version__,
        "base_url": house.settings.base_url,
        "user": user
        and {
            "id": user.id,
            "username": user.username,
            "name": user.name,
            "role": user.role,
            "telemetry_opt_out": user.telemetry_opt_out,
        },
        "csrf": caller.csrf,
        "setup": {
            "finished": now.setup.finished,
            "step": now.setup.step,
            "signup": now.setup.finished and now.chosen.user_signup is True,
            "telemetry": _choice(now, "ping"),
            "local_analytics": _choice(now, "local"),
        },
        "telemetry": telemetry(house, now, caller),
    }


def telemetry(house: House, now: Now, caller: Caller) -> dict[str, Any]:
    """What the page may measure: nothing before set-up is finished, nor in a browser that says no."""
    if not now.setup.finished or caller.refuses_telemetry:
        page = house.page
        return {"posthog": None, "plausible": None, "respect": {"gpc": page.respect_gpc, "dnt": page.respect_dnt}}
    return telemetry_facts(
        replace(house.page, api_host=f"{caller.origin}/{house.platform.installation.capture_prefix}"),
        posthog=now.decisions["posthog"],
        local=now.decisions["local"],
        plausible=house.plausible if now.on("plausible") else None,
        person=_person(house, caller),
    )


def outside(house: House, now: Now) -> list[str]:
    """The origins beside this server that the page may talk to."""
    direct = now.on("posthog") and house.page.transport == "direct"
    plausible = house.plausible if now.on("plausible") else None
    return [*([house.page.host] if direct else []), *([plausible.connect_origin] if plausible else [])]


def _person(house: House, caller: Caller) -> Person | None:
    """The ticket is made for the whole hour, so that a page that has not changed keeps its ETag."""
    if caller.actor is None:
        return None
    hour = house.platform.ledger.now().replace(minute=0, second=0, microsecond=0)
    subject = caller.actor.subject
    named = "" if house.page.identity == "anonymous" else subject.distinct_id
    return Person(subject, house.platform.pseudonyms.ticket(named, hour, subject.role))


def _choice(now: Now, channel: Channel) -> dict[str, Any]:
    """A switch of set-up. Where nobody has decided yet it shows what would hold once set-up is finished."""
    decision = now.once_finished(channel)
    explained = decision.locked and not now.setup.finished
    return {
        "value": decision.allowed,
        "locked": decision.locked,
        "explanation": decision.explanation if explained else "",
    }
