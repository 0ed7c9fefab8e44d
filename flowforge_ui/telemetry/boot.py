"""The facts about telemetry that a page needs, derived from decisions. Pure. Shapes: docs/api.md, "Boot facts"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .decision import Decision
    from .event import Subject
    from .identity import IdentityMode
    from .plausible import Plausible

Transport = Literal["relay", "direct"]


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What of the settings the page is told.

    `api_host` is where this server receives events (`base_url` and the installation's prefix), `local_token` the key
    it takes besides `apikey`; `host` is PostHog's own, which only a page with `transport: direct` talks to.
    """

    api_host: str
    local_token: str
    apikey: str | None = None
    host: str = ""
    capture_pageview: bool = False
    transport: Transport = "relay"
    pageleave: Literal["route", "exit"] = "route"
    identity: IdentityMode = "pseudonymous"
    respect_gpc: bool = True
    respect_dnt: bool = True
    dev: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """The signed-in user: as telemetry knows them, and their ticket."""

    subject: Subject
    ticket: str


def telemetry_facts(
    settings: PageSettings,
    *,
    posthog: Decision,
    local: Decision,
    plausible: Plausible | None,
    person: Person | None,
) -> dict[str, Any]:
    """`{posthog, plausible, respect}`. Of somebody who opted out nothing is measured, so the page gets nothing."""
    opted_out = person is not None and person.subject.opted_out
    respect = {"gpc": settings.respect_gpc, "dnt": settings.respect_dnt}
    if opted_out:
        return {"posthog": None, "plausible": None, "respect": respect}
    return {
        "posthog": _posthog(settings, person, to_posthog=posthog.allowed, to_local=local.allowed),
        "plausible": None if plausible is None else {"domain": plausible.domain, "src": plausible.src},
        "respect": respect,
    }


def _posthog(
    settings: PageSettings, person: Person | None, *, to_posthog: bool, to_local: bool
) -> dict[str, Any] | None:
    """One SDK feeds both; without a PostHog key it speaks to this server alone, with the local token."""
    if not to_posthog and not to_local:
        return None
    relayed = {"apikey": settings.local_token, "api_host": settings.api_host}
    direct = to_posthog and settings.transport == "direct"
    if direct:
        target: dict[str, Any] = {"apikey": settings.apikey, "api_host": settings.host}
        target["local"] = relayed if to_local else None
    else:
        target = {**relayed, "apikey": settings.apikey} if to_posthog else relayed
        target = {**target, "local": None}
    return {
        **target,
        # The setting is PostHog's: kept on this server alone, the SDK's own views would only double ours.
        "capture_pageview": settings.capture_pageview and to_posthog,
        "transport": "direct" if direct else "relay",
        "pageleave": settings.pageleave,
        "person": _person(settings, person, with_ticket=not direct or to_local),
        "dev": settings.dev,
    }


def _person(settings: PageSettings, person: Person | None, *, with_ticket: bool) -> dict[str, Any] | None:
    """With `identity: anonymous` a page learns a ticket for its role at most: the same for everybody who has it."""
    if person is None:
        return None
    ticket = person.ticket if with_ticket else None
    if settings.identity == "anonymous":
        return {"distinct_id": None, "ticket": ticket} if ticket else None
    return {"distinct_id": person.subject.distinct_id, "ticket": ticket}


def relayed_sinks(settings: PageSettings, *, posthog: Decision, local: Decision) -> tuple[str, ...]:
    """The sinks a page's events are for when they reach this server.

    With `transport: direct` the page tells PostHog itself, and a second telling would count twice there.
    """
    to_posthog = posthog.allowed and settings.transport == "relay"
    return (*(["local"] if local.allowed else []), *(["posthog"] if to_posthog else []))
