"""One's own account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flowforge_ui.platform import invitations, login, sessions, users
from flowforge_ui.web import boot
from flowforge_ui.web.callers import identify_again

from . import shapes
from .table import Guard, Table

if TYPE_CHECKING:
    from flowforge_ui.telemetry.outbox import Recorded

    from .call import Call

ENDPOINTS = Table("/api/v1")
on = ENDPOINTS.on

EVENTS = 50


@on("GET", "/csrf", Guard.PUBLIC, "The token for X-CSRF-Token", answer=shapes.Csrf)
def csrf(call: Call[None]) -> shapes.Csrf:
    return shapes.Csrf(csrf=call.caller.csrf)


@on("GET", "/user", Guard.USER, "The signed-in user", answer=shapes.User)
def show(call: Call[None]) -> shapes.User:
    return shaped(call.user)


@on("PATCH", "/user", Guard.USER, "Change one's profile", body=shapes.UserPatch, answer=shapes.User)
def change(call: Call[shapes.UserPatch]) -> shapes.User:
    with call.writing() as tx:
        return shaped(
            users.update_profile(tx, call.ledger, call.actor, name=call.body.name, email=_text(call.body, "email"))
        )


@on("PUT", "/user/password", Guard.USER, "Change one's password", body=shapes.PasswordChange,
    errors=("bad_credentials", "too_many_attempts"))  # fmt: skip
def change_password(call: Call[shapes.PasswordChange]) -> None:
    login.change_password(
        call.platform,
        call.actor,
        call.session.id,
        current=call.body.current,
        new=call.body.new,
        address=call.caller.address,
    )


@on("GET", "/user/sessions", Guard.USER, "Where one is signed in", answer=shapes.Sessions)
def list_sessions(call: Call[None]) -> shapes.Sessions:
    with call.reading() as tx:
        found = sessions.list_for(tx, call.now, call.actor)
    return shapes.Sessions(
        sessions=[
            shapes.SessionRow(
                id=one.id,
                created_at=one.created_at,
                last_seen_at=one.last_seen_at,
                user_agent=one.user_agent,
                current=one.id == call.session.id,
            )
            for one in found
        ]
    )


@on("DELETE", "/user/sessions/<session>", Guard.USER, "Sign out somewhere")
def revoke_session(call: Call[None], session: str) -> None:
    with call.writing() as tx:
        sessions.revoke(tx, call.ledger, call.actor, session)


@on("GET", "/user/privacy", Guard.USER, "What is recorded about oneself", answer=shapes.Privacy)
def privacy(call: Call[None]) -> shapes.Privacy:
    return _privacy(call, call.user)


@on("PUT", "/user/privacy", Guard.USER, "Opt out, or in again", body=shapes.PrivacyChange,
    answer=shapes.PrivacyBooted)  # fmt: skip
def change_privacy(call: Call[shapes.PrivacyChange]) -> shapes.PrivacyBooted:
    with call.switching() as tx:
        user = users.set_opt_out(tx, call.ledger, call.actor, opt_out=call.body.opt_out)
    with call.reading() as tx:
        facts = boot.facts(call.house, tx, identify_again(call.house, call.caller, user))
    return shapes.PrivacyBooted(**dict(_privacy(call, user)), boot=facts)


@on("GET", "/user/invitations", Guard.USER, "Invitations that wait for one's answer", answer=shapes.MyInvitations)
def list_invitations(call: Call[None]) -> shapes.MyInvitations:
    with call.reading() as tx:
        found = invitations.list_for(tx, call.actor)
    return shapes.MyInvitations(invitations=[shaped_invitation(one) for one in found])


@on("POST", "/user/invitations/<invitation>/accept", Guard.USER, "Join the team")
def accept(call: Call[None], invitation: str) -> None:
    with call.writing() as tx:
        invitations.accept(tx, call.ledger, call.actor, invitation)


@on("POST", "/user/invitations/<invitation>/decline", Guard.USER, "Decline to join")
def decline(call: Call[None], invitation: str) -> None:
    with call.writing() as tx:
        invitations.decline(tx, call.ledger, call.actor, invitation)


def shaped(user: users.User) -> shapes.User:
    return shapes.User(
        id=user.id,
        username=user.username,
        name=user.name,
        email=user.email,
        role=user.role,
        telemetry_opt_out=user.telemetry_opt_out,
        created_at=user.created_at,
    )


def shaped_invitation(one: invitations.Received) -> shapes.MyInvitation:
    return shapes.MyInvitation(
        id=one.id,
        team=shapes.TeamRef(id=one.team_id, name=one.team_name),
        role=one.role,
        invited_by=one.invited_by,
        created_at=one.created_at,
    )


def _text(body: shapes.UserPatch, field: str) -> str | None:
    """What the platform takes: None leaves a value, an empty text removes it. JSON's null removes it, too."""
    value: str | None = getattr(body, field)
    return "" if value is None and field in body.model_fields_set else value


def _privacy(call: Call[None] | Call[shapes.PrivacyChange], user: users.User) -> shapes.Privacy:
    distinct_id = call.actor.subject.distinct_id
    return shapes.Privacy(
        opt_out=user.telemetry_opt_out,
        pseudonym=distinct_id,
        recorded=not user.telemetry_opt_out and bool(call.house.channels.current().sinks),
        events=[_event(one) for one in call.house.outbox.recent(distinct_id, EVENTS)],
    )


def _event(one: Recorded) -> shapes.PrivacyEvent:
    return shapes.PrivacyEvent(
        uuid=one.event.uuid,
        event=one.event.name,
        timestamp=datetime.fromtimestamp(one.event.timestamp / 1000, UTC),
        origin=one.event.origin,
        properties=dict(one.event.properties),
        sinks=dict(one.sinks),
    )
