from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from flowforge_ui.database import reading, transaction
from flowforge_ui.platform import invitations, sessions, setup, tables, teams, users
from flowforge_ui.platform.errors import (
    Forbidden,
    InvalidInput,
    LastAdministrator,
    LastOwner,
    NotFound,
    SignupOff,
    UsernameTaken,
)
from flowforge_ui.platform.house import Platform
from flowforge_ui.platform.passwords import Passwords

if TYPE_CHECKING:
    from tests.conftest import Cast
    from tests.platform.conftest import Race, Statements, Told

SPIDER = "\N{SPIDER}"


def candidate(passwords: Passwords, username: str = "dora", **values: str | None) -> users.Candidate:
    return users.candidate(passwords, username=username, **{"password": "long enough", **values})  # type: ignore[arg-type]


# -- what a candidate may be


@pytest.mark.parametrize("username", ["al", "a.b", "9to5", "x" * 32, "a_b-c.d"])
def test_good_usernames(passwords: Passwords, username: str) -> None:
    assert candidate(passwords, username).username == username


@pytest.mark.parametrize(
    "username", ["", "a", "x" * 33, ".ab", "-ab", "_ab", "a b", "a@b", "zoë", "a\x00b", "ab\n\n\x85c", SPIDER * 3]
)
def test_bad_usernames(passwords: Passwords, username: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        candidate(passwords, username)
    assert list(refused.value.fields) == ["username"]


def test_case_and_margins_are_evened(passwords: Passwords) -> None:
    made = candidate(passwords, "  DoRa ", name="  Dora D. ", email=" d@plant.example ")
    assert (made.username, made.name, made.email) == ("dora", "Dora D.", "d@plant.example")


def test_a_name_and_an_address_are_not_needed(passwords: Passwords) -> None:
    made = candidate(passwords, "dora", name="  ", email="")
    assert (made.name, made.email) == ("dora", None)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("seven77", "At least 8 characters."),
        ("p" * 1025, "At most 1024 bytes."),
        (SPIDER * 257, "At most 1024 bytes."),
        ("DORA-dora", "The password must not be the user name."),
        ("\ud800 lone surrogate", "This is no text."),
        (" " * 8, "Not of spaces alone."),
        ("\u2003\t \u00a0" * 3, "Not of spaces alone."),
        ("e\u0301e\u0301e\u0301e\u0301", "At least 8 characters."),
    ],
)
def test_bad_passwords(passwords: Passwords, password: str, why: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        candidate(passwords, "dora-dora", password=password)
    assert refused.value.fields == {"password": why}


@pytest.mark.parametrize("password", ["8 letter", SPIDER * 256, "a\x00b\x00c\x00d\x00"])
def test_good_passwords(passwords: Passwords, password: str) -> None:
    made = candidate(passwords, "dora-dora", password=password)
    assert passwords.verify(made.password_hash, password)
    assert not passwords.verify(made.password_hash, password + "x")
    assert made.password_hash.startswith("$argon2id$")
    assert "argon2id" not in repr(made)


COMPOSED, DECOMPOSED = "caf\u00e9 au lait", "cafe\u0301 au lait"


def test_a_password_is_the_same_whichever_keyboard_it_comes_from(passwords: Passwords) -> None:
    for chosen in (COMPOSED, DECOMPOSED):
        stored = passwords.hash(chosen)
        assert [passwords.verify(stored, typed) for typed in (COMPOSED, DECOMPOSED, "cafe au lait")] == [
            True,
            True,
            False,
        ]
    assert not passwords.verify(None, DECOMPOSED)


def test_hashes_of_a_text_as_it_came_still_hold(passwords: Passwords) -> None:
    older = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(DECOMPOSED)
    assert passwords.verify(older, DECOMPOSED)


def test_every_wrong_field_is_named(passwords: Passwords) -> None:
    with pytest.raises(InvalidInput) as refused:
        candidate(passwords, "?", password="", name="x" * 101, email="nobody")
    assert sorted(refused.value.fields) == ["email", "name", "password", "username"]


@pytest.mark.parametrize("email", ["a", "a@", "@b", "a b@c", "a@b\n", "a@\ud800", "a" * 250 + "@b.cd"])
def test_bad_addresses(passwords: Passwords, email: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        candidate(passwords, email=email + ("x" if email.endswith("\n") else ""))
    assert list(refused.value.fields) == ["email"]


# -- becoming an account


def test_an_administrator_adds_an_account(platform: Platform, cast: Cast, told: Told) -> None:
    with transaction(platform.engine) as tx:
        dora = users.add(tx, platform.ledger, cast.root, candidate(platform.passwords), "analyst")
    with reading(platform.engine) as tx:
        assert users.get(tx, dora.id) == dora
    assert (dora.username, dora.role, dora.suspended, dora.telemetry_opt_out) == ("dora", "analyst", False, False)
    assert told.events() == [("user registered", cast.root.subject.distinct_id, {"how": "admin"})]
    assert told.audit() == [("root", "user registered", None, "dora")]


def test_nobody_else_adds_or_lists_or_administers(platform: Platform, cast: Cast, told: Told) -> None:
    analyst = replace(cast.bob, role="analyst")
    for actor in (cast.alice, analyst):
        with transaction(platform.engine) as tx:
            for act in (
                lambda tx=tx, actor=actor: users.add(tx, platform.ledger, actor, candidate(platform.passwords), "user"),
                lambda tx=tx, actor=actor: users.list_all(tx, actor),
                lambda tx=tx, actor=actor: users.administer(tx, platform.ledger, actor, cast.bob.user_id, role="admin"),
                lambda tx=tx, actor=actor: users.remove(tx, platform.ledger, actor, cast.bob.user_id),
            ):
                with pytest.raises(Forbidden):
                    act()
    assert told.audit() == []


@pytest.mark.parametrize("username", ["alice", "ALICE", " Alice "])
def test_a_username_is_taken_whatever_its_case(platform: Platform, cast: Cast, told: Told, username: str) -> None:
    with pytest.raises(UsernameTaken) as refused, transaction(platform.engine) as tx:
        users.add(tx, platform.ledger, cast.root, candidate(platform.passwords, username), "user")
    assert list(refused.value.fields) == ["username"]
    assert (told.audit(), told.events()) == ([], [])


def test_registering_needs_the_switch(platform: Platform, cast: Cast, told: Told) -> None:
    from flowforge_ui.platform import settings

    with pytest.raises(SignupOff), transaction(platform.engine) as tx:
        setup.register(tx, platform.ledger, candidate(platform.passwords))
    with transaction(platform.engine) as tx:
        settings.change(tx, platform.ledger, cast.root, {"user:signup": True})
        dora = setup.register(tx, platform.ledger, candidate(platform.passwords))
    assert dora.role == "user"
    assert told.events()[1:] == [("user registered", platform.pseudonyms.user(dora.id), {"how": "self"})]
    assert told.audit()[1:] == [("dora", "user registered", None, "dora")]


def test_two_of_one_name_at_once(platform: Platform, cast: Cast, race: Race) -> None:
    who = candidate(platform.passwords)

    def add() -> str:
        with transaction(platform.engine) as tx:
            return users.add(tx, platform.ledger, cast.root, who, "user").username

    found = race(add, add, add)
    assert sorted(map(str, found)) == ["That user name is taken."] * 2 + ["dora"]


# -- changing accounts


def test_one_changes_one_s_own_profile(platform: Platform, cast: Cast, told: Told) -> None:
    with transaction(platform.engine) as tx:
        alice = users.update_profile(tx, platform.ledger, cast.alice, name=" Alice A. ", email="")
    assert (alice.name, alice.email, alice.username) == ("Alice A.", None, "alice")
    assert told.audit() == [("alice", "profile changed", None, "email, name")]
    with pytest.raises(InvalidInput), transaction(platform.engine) as tx:
        users.update_profile(tx, platform.ledger, cast.alice, name="  ")


def test_accounts_are_listed_by_name_in_one_query(platform: Platform, cast: Cast, statements: Statements) -> None:
    with reading(platform.engine) as tx:
        statements.texts.clear()
        found = users.list_all(tx, cast.root)
    assert [user.username for user in found] == ["alice", "bob", "charlie", "root"]
    assert len(statements.texts) == 1


def test_an_administrator_changes_an_account(platform: Platform, cast: Cast, told: Told) -> None:
    with transaction(platform.engine) as tx:
        bob = users.administer(tx, platform.ledger, cast.root, cast.bob.user_id, role="analyst", name="Bobby")
        again = users.administer(tx, platform.ledger, cast.root, cast.bob.user_id, role="analyst")
    assert (bob.role, bob.name) == (again.role, again.name) == ("analyst", "Bobby")
    assert told.audit() == [("root", "user changed", None, "bob: name, role analyst")]
    assert told.events() == []


def test_an_unknown_account_or_role(platform: Platform, cast: Cast) -> None:
    with transaction(platform.engine) as tx:
        with pytest.raises(NotFound):
            users.administer(tx, platform.ledger, cast.root, "nobody", name="x")
        with pytest.raises(InvalidInput):
            users.administer(tx, platform.ledger, cast.root, cast.bob.user_id, role="king")  # type: ignore[arg-type]


def test_suspending_ends_the_sessions(platform: Platform, cast: Cast) -> None:
    now = platform.ledger.now()
    with transaction(platform.engine) as tx:
        token, _ = sessions.create(tx, now, cast.bob.user_id, "")
        assert sessions.find(tx, now, token)
        users.administer(tx, platform.ledger, cast.root, cast.bob.user_id, suspended=True)
        assert sessions.find(tx, now, token) is None
        users.administer(tx, platform.ledger, cast.root, cast.bob.user_id, suspended=False)
        assert sessions.find(tx, now, token) is None


def test_the_last_administrator_stays(platform: Platform, cast: Cast, told: Told) -> None:
    root = cast.root.user_id
    for change in ({"role": "user"}, {"role": "analyst"}, {"suspended": True}):
        with pytest.raises(LastAdministrator), transaction(platform.engine) as tx:
            users.administer(tx, platform.ledger, cast.root, root, **change)
    with pytest.raises(LastAdministrator), transaction(platform.engine) as tx:
        users.remove(tx, platform.ledger, cast.root, root)
    assert told.audit() == []
    with transaction(platform.engine) as tx:
        users.administer(tx, platform.ledger, cast.root, cast.alice.user_id, role="admin", suspended=True)
        with pytest.raises(LastAdministrator):  # a suspended administrator is none
            users.administer(tx, platform.ledger, cast.root, root, role="user")
        users.administer(tx, platform.ledger, cast.root, cast.alice.user_id, suspended=False)
        assert users.administer(tx, platform.ledger, cast.root, root, role="user").role == "user"


def test_two_administrators_take_each_other_away_at_once(platform: Platform, cast: Cast, race: Race) -> None:
    with transaction(platform.engine) as tx:
        users.administer(tx, platform.ledger, cast.root, cast.alice.user_id, role="admin")
    alice = replace(cast.alice, role="admin")

    def demote() -> str:
        with transaction(platform.engine) as tx:
            users.administer(tx, platform.ledger, alice, cast.root.user_id, role="user")
        return "demoted"

    def suspend() -> str:
        with transaction(platform.engine) as tx:
            users.administer(tx, platform.ledger, cast.root, alice.user_id, suspended=True)
        return "suspended"

    found = race(demote, suspend)
    assert [type(one) for one in found].count(LastAdministrator) == 1
    with reading(platform.engine) as tx:
        c = tables.users.c
        assert len(tx.execute(select(c.id).where(c.role == "admin", c.suspended.is_(False))).all()) == 1


def test_removing_an_account(platform: Platform, cast: Cast, told: Told) -> None:
    with pytest.raises(LastOwner), transaction(platform.engine) as tx:
        users.remove(tx, platform.ledger, cast.root, cast.alice.user_id)
    with transaction(platform.engine) as tx:
        token, _ = sessions.create(tx, platform.ledger.now(), cast.bob.user_id, "")
        users.remove(tx, platform.ledger, cast.root, cast.bob.user_id)
        assert sessions.find(tx, platform.ledger.now(), token) is None
        assert [member.username for member in teams.members(tx, cast.alice, cast.plant.id)] == ["alice"]
        with pytest.raises(NotFound):
            users.get(tx, cast.bob.user_id)
        invitation = invitations.send(tx, platform.ledger, cast.alice, cast.plant.id, username="charlie", role="owner")
        invitations.accept(tx, platform.ledger, cast.charlie, invitation.id)
        users.remove(tx, platform.ledger, cast.root, cast.alice.user_id)
    assert ("root", "user removed", None, "alice") in told.audit()


# -- privacy


def test_opting_out_is_kept_written_down_and_drops_what_waits(platform: Platform, cast: Cast, told: Told) -> None:
    with transaction(platform.engine) as tx:
        teams.create(tx, platform.ledger, cast.alice, "Second")
    assert [name for name, _, _ in told.events()] == ["team created"]
    with transaction(platform.engine) as tx:
        alice = users.set_opt_out(tx, platform.ledger, cast.alice, opt_out=True)
        again = users.set_opt_out(tx, platform.ledger, cast.alice, opt_out=True)
    assert alice.telemetry_opt_out
    assert again.telemetry_opt_out
    assert pending(platform, cast.alice.subject.distinct_id) == 0
    assert pending(platform, cast.bob.subject.distinct_id) > 0
    opted_out = alice.actor(platform.pseudonyms)
    assert opted_out.subject == replace(cast.alice.subject, opted_out=True)
    with transaction(platform.engine) as tx:
        teams.create(tx, platform.ledger, opted_out, "Third")
        back = users.set_opt_out(tx, platform.ledger, opted_out, opt_out=False)
        teams.create(tx, platform.ledger, back.actor(platform.pseudonyms), "Fourth")
    assert [name for name, _, _ in told.events()] == ["team created", "team created"]
    assert [entry for entry in told.audit() if entry[1] == "privacy changed"] == [
        ("alice", "privacy changed", None, "opted out"),
        ("alice", "privacy changed", None, "opted in"),
    ]


def pending(platform: Platform, distinct_id: str) -> int:
    from flowforge_ui.telemetry.outbox_tables import outbox, pending

    theirs = select(outbox.c.id).where(outbox.c.distinct_id == distinct_id)
    with reading(platform.engine) as tx:
        return tx.execute(select(func.count()).where(pending.c.outbox_id.in_(theirs))).scalar_one()
