"""Signing in and out, and the three steps of set-up. Below `/account` and `/setup`, beside the pages of that name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowforge_ui.platform import login, sessions, settings, setup, users
from flowforge_ui.platform.errors import SetupAdminExists, SetupFinished, SetupUnfinished, SignupOff
from flowforge_ui.telemetry import archive
from flowforge_ui.web import boot
from flowforge_ui.web.callers import Caller, signed_in, signed_out

from . import shapes
from .table import Guard, Table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .call import Call

ENDPOINTS = Table("")
on = ENDPOINTS.on


@on("POST", "/account/login", Guard.PUBLIC, "Sign in", body=shapes.Login, answer=shapes.Booted,
    errors=("bad_credentials", "suspended", "too_many_attempts"))  # fmt: skip
def sign_in(call: Call[shapes.Login]) -> shapes.Booted:
    new = login.sign_in(
        call.platform,
        username=call.body.username,
        password=call.body.password,
        address=call.caller.address,
        user_agent=call.caller.user_agent,
        device_cookie=call.caller.device_cookie,
    )
    if call.caller.actor is not None:
        # The cookie is about to be overwritten: the session it names would stay behind unseen.
        with call.writing() as tx:
            sessions.end(tx, call.ledger, call.actor, call.session.id)
    with call.reading() as tx:
        return _begin(call, tx, new)


@on("POST", "/account/logout", Guard.PUBLIC, "Sign out", answer=shapes.Booted)
def sign_out(call: Call[None]) -> shapes.Booted:
    if call.caller.actor is not None:
        with call.writing() as tx:
            sessions.end(tx, call.ledger, call.actor, call.session.id)
    call.cookies[call.house.cookies.session] = None
    with call.reading() as tx:
        return _booted(call, tx, signed_out(call.house, call.caller))


@on("POST", "/account/register", Guard.PUBLIC, "Create an account for oneself", body=shapes.Register,
    answer=shapes.Booted, status=201, errors=("signup_off", "setup_unfinished", "username_taken"))  # fmt: skip
def register(call: Call[shapes.Register]) -> shapes.Booted:
    with call.reading() as tx:
        _look_at_signup(tx)
    who = _candidate(call)
    with call.writing() as tx:
        user = setup.register(tx, call.ledger, who)
        return _begin(call, tx, _first_session(call, tx, user))


@on("POST", "/setup/admin", Guard.PUBLIC, "Set-up: the administrator", body=shapes.Register, answer=shapes.Booted,
    status=201, errors=("setup_admin_exists", "setup_finished"))  # fmt: skip
def create_administrator(call: Call[shapes.Register]) -> shapes.Booted:
    with call.reading() as tx:
        _look_at_setup(tx)
    who = _candidate(call)
    with call.writing() as tx:
        user = setup.create_administrator(tx, call.ledger, who)
        return _begin(call, tx, _first_session(call, tx, user))


@on("POST", "/setup/options", Guard.ADMIN, "Set-up: the two switches", body=shapes.SetupOptions,
    answer=shapes.Options, errors=("setup_finished",))  # fmt: skip
def choose(call: Call[shapes.SetupOptions]) -> shapes.Options:
    body, channels = call.body, call.house.channels
    with call.switching() as tx:
        now = channels.read(tx)
        wishes = now.wish("ping", body.telemetry), now.wish("local", body.local_analytics)
        setup.choose(tx, call.ledger, call.actor, telemetry=wishes[0], local_analytics=wishes[1])
        archive.accept_plan(tx, call.house.sender().plan.version)  # the step has shown its fields
        telemetry, local = channels.read(tx).starting
    return shapes.Options(telemetry=telemetry, local_analytics=local)


@on("POST", "/setup/finish", Guard.ADMIN, "Set-up: done", answer=shapes.Booted,
    errors=("setup_finished", "setup_unfinished"))  # fmt: skip
def finish(call: Call[None]) -> shapes.Booted:
    with call.switching() as tx:
        telemetry, local = call.house.channels.read(tx).starting
        setup.finish(tx, call.ledger, call.actor, telemetry=telemetry, local_analytics=local)
    with call.reading() as tx:
        return _booted(call, tx, call.caller)


# Hashing a password is work: whoever would be refused anyway is refused before it. The act itself looks again.


def _look_at_signup(tx: Connection) -> None:
    if not setup.state(tx).finished:
        raise SetupUnfinished
    if not settings.read(tx).user_signup:
        raise SignupOff


def _look_at_setup(tx: Connection) -> None:
    state = setup.state(tx)
    if state.step != "admin":
        raise SetupFinished if state.finished else SetupAdminExists


def _candidate(call: Call[shapes.Register]) -> users.Candidate:
    body = call.body
    return users.candidate(
        call.platform.passwords, username=body.username, password=body.password, name=body.name, email=body.email
    )


def _first_session(call: Call[shapes.Register], tx: Connection, user: users.User) -> login.SignedIn:
    caller = call.caller
    return login.begin_session(
        tx, call.platform, user, user_agent=caller.user_agent, device_cookie=caller.device_cookie
    )


def _begin(call: Call[shapes.Login] | Call[shapes.Register], tx: Connection, new: login.SignedIn) -> shapes.Booted:
    cookies = call.house.cookies
    call.cookies[cookies.session] = new.token
    call.cookies[cookies.device] = new.device_cookie
    return _booted(call, tx, signed_in(call.house, call.caller, new))


def _booted(
    call: Call[shapes.Login] | Call[shapes.Register] | Call[None], tx: Connection, caller: Caller
) -> shapes.Booted:
    return shapes.Booted(boot=boot.facts(call.house, tx, caller))
