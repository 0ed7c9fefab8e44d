"""Who is asking: read once from a request's cookies, headers and socket."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from flask import has_request_context, request
from sqlalchemy.exc import OperationalError

from flowforge_ui.database import transaction
from flowforge_ui.platform import sessions

from . import csrf
from .errors import WebError
from .proxy import client_address, from_proxy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Request
    from werkzeug.datastructures import Headers

    from flowforge_ui.config.table import Respect
    from flowforge_ui.platform.actor import Actor
    from flowforge_ui.platform.login import SignedIn
    from flowforge_ui.platform.sessions import Session
    from flowforge_ui.platform.users import User

    from .house import House
    from .proxy import Network

log = logging.getLogger(__name__)

_LONGEST_COOKIE = 128


class Hops(NamedTuple):
    """What a request says of where it comes from, and whom of those it came through to believe."""

    peer: str
    forwarded_for: str
    proxies: Sequence[Network]


@dataclass(frozen=True, slots=True)
class Proof:
    """What the token against forgery is made from."""

    key: bytes = field(repr=False)
    bound_to: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """`user`, `actor` and `session` are there together or not at all; `visitor_is_new` asks for a cookie.

    `origin` is this server as the browser sees it. What few requests need is worked out when it is asked for.
    """

    origin: str
    hops: Hops
    user_agent: str
    visitor: str
    visitor_is_new: bool
    device_cookie: str
    proof: Proof
    refuses_telemetry: bool
    session: Session | None = None
    user: User | None = None
    actor: Actor | None = None

    @property
    def address(self) -> str:
        return client_address(self.hops.peer, self.hops.forwarded_for, self.hops.proxies)

    @property
    def csrf(self) -> str:
        return csrf.token_for(self.proof.key, self.proof.bound_to)


def identify(house: House, request: Request) -> Caller:
    """Read only; `touch` writes what there is to write."""
    settings = house.settings
    given = request.cookies.get(house.cookies.visitor.name, "")
    visitor_is_new = not 16 <= len(given) <= _LONGEST_COOKIE
    visitor = secrets.token_urlsafe(24) if visitor_is_new else given
    token = request.cookies.get(house.cookies.session.name, "")[:_LONGEST_COOKIE]
    anonymous = Caller(
        origin=origin(house, request),
        hops=Hops(request.remote_addr or "", request.headers.get("X-Forwarded-For", ""), settings.trusted_proxies),
        user_agent=request.headers.get("User-Agent", ""),
        visitor=visitor,
        visitor_is_new=visitor_is_new,
        device_cookie=request.cookies.get(house.cookies.device.name, ""),
        proof=Proof(house.csrf_key, f"visitor {visitor}"),
        refuses_telemetry=refuses_telemetry(request.headers, settings.telemetry.frontend.respect),
    )
    active = sessions.look_up(house.platform.engine, house.platform.ledger.now(), token) if token else None
    if active is None:
        return anonymous
    return _signed_in(house, anonymous, token, active.session, active.user)


def signed_in(house: House, caller: Caller, new: SignedIn) -> Caller:
    """The same caller from this answer on."""
    return _signed_in(house, caller, new.token, new.session, new.user)


def identify_again(house: House, caller: Caller, user: User) -> Caller:
    """The same caller after a change of their account."""
    return replace(caller, user=user, actor=_actor(house, caller, user))


def signed_out(house: House, caller: Caller) -> Caller:
    proof = Proof(house.csrf_key, f"visitor {caller.visitor}")
    return replace(caller, proof=proof, session=None, user=None, actor=None)


def _signed_in(house: House, caller: Caller, token: str, session: Session, user: User) -> Caller:
    proof = Proof(house.csrf_key, f"session {token}")
    return replace(caller, proof=proof, session=session, user=user, actor=_actor(house, caller, user))


def _actor(house: House, caller: Caller, user: User) -> Actor:
    actor = user.actor(house.platform.pseudonyms)
    if caller.refuses_telemetry:
        actor = replace(actor, subject=replace(actor.subject, opted_out=True))
    return actor


def refuses_telemetry(headers: Headers, respect: Respect) -> bool:
    """Whether the browser says, in a way this installation honours, that nothing is to be recorded."""
    gpc = respect.gpc and headers.get("Sec-GPC") == "1"
    dnt = respect.dnt and headers.get("DNT") == "1"
    return gpc or dnt


def browser_refuses(respect: Respect) -> bool:
    """`refuses_telemetry` of the request under way; False outside of one."""
    return has_request_context() and refuses_telemetry(request.headers, respect)


def touch(house: House, caller: Caller) -> None:
    """Note once a minute that the session is in use. A busy database is no reason to refuse the request."""
    now = house.platform.ledger.now()
    if caller.session is None or now - caller.session.last_seen_at < sessions.SEEN_EVERY:
        return
    try:
        with transaction(house.platform.engine) as tx:
            sessions.touch(tx, now, caller.session)
    except OperationalError:
        log.warning("A session's last use could not be noted; the database is busy")


def asked_host(house: House, request: Request) -> str:
    """The host the browser asked for, with its port; a trusted proxy may say so."""
    host = request.headers.get("Host", "")
    proxies = house.settings.trusted_proxies
    if proxies and from_proxy(request.remote_addr or "", proxies):
        return request.headers.get("X-Forwarded-Host", host).rpartition(",")[2].strip()
    return host


def origin(house: House, request: Request) -> str:
    """Where the browser believes this server to be: its configured address, or another name of this machine."""
    host = asked_host(house, request)
    base_url = house.settings.base_url
    if host == base_url.partition("://")[2] or not csrf.own_host(host, base_url):
        return base_url
    return f"{_asked_scheme(house, request)}://{host}"


def _asked_scheme(house: House, request: Request) -> str:
    """Of the connection, not of `base_url`: a page may not talk to its own server by the other one."""
    proxies = house.settings.trusted_proxies
    if proxies and from_proxy(request.remote_addr or "", proxies):
        forwarded = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        if forwarded in {"http", "https"}:
            return forwarded
    return "https" if request.scheme == "https" else "http"


def refuse_forgery(house: House, caller: Caller, request: Request) -> None:
    """Raise unless this page of this session asked for the change."""
    host = asked_host(house, request)
    reason = csrf.check(request.headers, host=host, base_url=house.settings.base_url, expected=caller.csrf)
    if reason in {csrf.CsrfReason.CROSS_SITE, csrf.CsrfReason.ORIGIN}:
        raise WebError("cross_site", f"This server answers to {house.settings.base_url} only (base_url).")
    if reason is not None:
        raise WebError("csrf")
