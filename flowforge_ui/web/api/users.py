"""Accounts, for administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowforge_ui.platform import users

from . import shapes
from .table import Guard, Table
from .user import shaped

if TYPE_CHECKING:
    from .call import Call

ENDPOINTS = Table("/api/v1")
on = ENDPOINTS.on


@on("GET", "/users", Guard.ADMIN, "Every account", answer=shapes.Users)
def index(call: Call[None]) -> shapes.Users:
    with call.reading() as tx:
        return shapes.Users(users=[_row(user) for user in users.list_all(tx, call.actor)])


@on("POST", "/users", Guard.ADMIN, "Make an account for somebody", body=shapes.UserCreate, answer=shapes.User,
    status=201, errors=("username_taken",))  # fmt: skip
def create(call: Call[shapes.UserCreate]) -> shapes.User:
    body = call.body
    who = users.candidate(
        call.platform.passwords, username=body.username, password=body.password, name=body.name, email=body.email
    )
    with call.writing() as tx:
        return shaped(users.add(tx, call.ledger, call.actor, who, body.role))


@on("PATCH", "/users/<user>", Guard.ADMIN, "Change somebody's account", body=shapes.UserAdminPatch,
    answer=shapes.UserRow, errors=("last_administrator",))  # fmt: skip
def change(call: Call[shapes.UserAdminPatch], user: str) -> shapes.UserRow:
    body = call.body
    email = "" if body.email is None and "email" in body.model_fields_set else body.email
    with call.writing() as tx:
        return _row(
            users.administer(
                tx,
                call.ledger,
                call.actor,
                user,
                role=body.role,
                suspended=body.suspended,
                name=body.name,
                email=email,
            )
        )


def _row(user: users.User) -> shapes.UserRow:
    return shapes.UserRow(**shaped(user).model_dump(), suspended=user.suspended, last_login_at=user.last_login_at)
