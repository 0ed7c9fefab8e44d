"""The first run: an administrator, two options, done.

Each step holds the installation's row, so the database settles who was first when two people do it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Connection, select, update

from . import settings, tables, users
from .actor import Actor, require_admin
from .errors import NotFound, SetupAdminExists, SetupFinished, SetupUnfinished, SignupOff

if TYPE_CHECKING:
    from .record import Ledger

Step = Literal["admin", "options", "finish"]

_i = tables.installation.c


@dataclass(frozen=True, slots=True)
class SetupState:
    """`step` is what comes next; once `finished` it stays "finish"."""

    step: Step
    finished: bool


def state(tx: Connection) -> SetupState:
    row = tx.execute(select(_i.setup_admin_id, _i.setup_options_at, _i.setup_finished_at).where(_i.id == 1)).one()
    if row.setup_finished_at is not None:
        return SetupState("finish", True)
    if row.setup_admin_id is None:
        return SetupState("admin", False)
    return SetupState("options" if row.setup_options_at is None else "finish", False)


def create_administrator(tx: Connection, ledger: Ledger, who: users.Candidate) -> users.User:
    """Step one: the first account.

    Raises:
        SetupFinished, SetupAdminExists: somebody was quicker.
    """
    # Held before the account is made: that its name is taken would hide that the set-up has an administrator.
    first = tx.execute(select(_i.setup_admin_id).where(_i.id == 1).with_for_update()).scalar_one() is None
    if not first:
        raise SetupFinished if state(tx).finished else SetupAdminExists
    user = users.create(tx, ledger, who, "admin")
    tx.execute(update(tables.installation).where(_i.id == 1).values(setup_admin_id=user.id))
    # The audit log alone: the event waits for `finish`, because until then nothing may be recorded.
    ledger.note(tx, user.actor(ledger.pseudonyms), "user registered", target=user.username)
    return user


def choose(
    tx: Connection, ledger: Ledger, actor: Actor, *, telemetry: bool | None, local_analytics: bool | None
) -> None:
    """Step two, as often as one likes until the set-up is finished.

    None leaves a switch alone: where the configuration has decided, nobody has chosen anything, and once it is silent
    again nothing may stand there as an administrator's wish.

    Raises:
        SetupFinished: it is too late; the Admin Settings have these switches.
    """
    require_admin(actor)
    open_still = tx.execute(
        update(tables.installation)
        .where(_i.id == 1, _i.setup_finished_at.is_(None))
        .values(setup_options_at=ledger.now())
    )
    if open_still.rowcount != 1:
        raise SetupFinished
    for key, wish in ((settings.TELEMETRY_ENABLED, telemetry), (settings.LOCAL_ANALYTICS, local_analytics)):
        if wish is not None:
            settings.store(tx, ledger, key, value=wish)


def finish(tx: Connection, ledger: Ledger, actor: Actor, *, telemetry: bool, local_analytics: bool) -> None:
    """Step three: the platform is open. The two values are what is on from now on, whoever has decided it.

    Raises:
        SetupFinished: somebody was quicker.
        SetupUnfinished: the options have not been chosen.
    """
    require_admin(actor)
    finished = tx.execute(
        update(tables.installation)
        .where(_i.id == 1, _i.setup_finished_at.is_(None), _i.setup_options_at.is_not(None))
        .values(setup_finished_at=ledger.now())
    )
    if finished.rowcount != 1:
        raise SetupFinished if state(tx).finished else SetupUnfinished
    _tell_of_first(tx, ledger)
    properties = {"telemetry": telemetry, "local_analytics": local_analytics}
    ledger.record(tx, actor, "set-up finished", properties)


def _tell_of_first(tx: Connection, ledger: Ledger) -> None:
    """The event of step one, now that there may be events; its line in the audit log is there already."""
    first = tx.execute(select(_i.setup_admin_id).where(_i.id == 1)).scalar_one()
    try:
        subject = users.get(tx, first).actor(ledger.pseudonyms).subject
    except NotFound:  # removed since by another administrator
        return
    ledger.recorder.record(tx, "user registered", subject, {"how": "setup"})


def register(tx: Connection, ledger: Ledger, who: users.Candidate) -> users.User:
    """Somebody makes an account for themselves.

    Raises:
        SetupUnfinished: the first account is made by the set-up.
        SignupOff: an administrator has not switched self-registration on.
        UsernameTaken: whatever its case.
    """
    if not state(tx).finished:
        raise SetupUnfinished
    if not settings.read(tx).user_signup:
        raise SignupOff
    user = users.create(tx, ledger, who, "user")
    actor = user.actor(ledger.pseudonyms)
    ledger.record(tx, actor, "user registered", {"how": "self"}, target=user.username)
    return user
