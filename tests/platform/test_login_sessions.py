from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from flowforge_ui.database import reading, transaction
from flowforge_ui.platform import login, sessions, tables, users
from flowforge_ui.platform.errors import BadCredentials, InvalidInput, NotFound, Suspended, TooManyAttempts
from flowforge_ui.platform.house import Platform
from flowforge_ui.platform.passwords import Passwords

if TYPE_CHECKING:
    from datetime import datetime

    from tests.conftest import Cast, FakeClock
    from tests.platform.conftest import Race, Statements, Told


def sign_in(platform: Platform, username: str, password: str, **values: str) -> login.SignedIn:
    return login.sign_in(platform, username=username, password=password, address="192.0.2.7", **values)


def find(platform: Platform, token: str) -> sessions.Active | None:
    with reading(platform.engine) as tx:
        return sessions.find(tx, platform.ledger.now(), token)


# -- signing in


def test_signing_in_begins_a_session(platform: Platform, cast: Cast, told: Told, clock: FakeClock) -> None:
    signed_in = sign_in(platform, " Alice ", cast.password, user_agent="Browser 1.0")
    assert signed_in.actor == cast.alice
    assert signed_in.user.last_login_at == clock()
    active = find(platform, signed_in.token)
    assert active == sessions.Active(signed_in.session, signed_in.user)
    assert active.session.user_agent == "Browser 1.0"
    assert told.events() == [("logged in", cast.alice.subject.distinct_id, {})]
    assert told.audit() == [("alice", "logged in", None, None)]


def test_only_a_hash_of_the_token_is_kept(platform: Platform, cast: Cast) -> None:
    signed_in = sign_in(platform, "alice", cast.password)
    with reading(platform.engine) as tx:
        row = tx.execute(select(tables.sessions)).one()
    assert row.token_hash == hashlib.sha256(signed_in.token.encode()).hexdigest()
    assert signed_in.token not in map(str, row)
    assert len(signed_in.token) == 43  # 32 bytes
    assert signed_in.token not in repr(signed_in)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("alice", "wrong password"),
        ("nobody", "correct horse battery"),
        ("correct horse battery", "alice"),
        ("alice", ""),
        ("", ""),
        ("alice", "x" * 2000),
        ("alice\x00", "correct horse battery"),
        ("alice", "\ud800"),
        ("\ud800" * 400, "correct horse battery"),
        ("alice' OR '1'='1", "correct horse battery"),
    ],
)
def test_whatever_is_wrong_the_answer_is_the_same(
    platform: Platform, cast: Cast, told: Told, username: str, password: str
) -> None:
    with pytest.raises(BadCredentials) as refused:
        sign_in(platform, username, password)
    assert (str(refused.value), refused.value.fields) == ("User name or password is wrong.", {})
    assert (told.events(), told.audit()) == ([], [])


def test_an_unknown_user_takes_the_same_work() -> None:
    looked_at: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - its name there
            looked_at.append(str(hash).rsplit("$", 2)[0])
            return super().verify(hash, password)

    passwords = Passwords(memory_kib=8, rounds=1)
    passwords._hasher = Counting(time_cost=1, memory_cost=8, parallelism=1)
    real = passwords.hash("somebody's password")
    assert [passwords.verify(stored, "a guess") for stored in (real, None)] == [False, False]
    assert looked_at == ["$argon2id$v=19$m=8,t=1,p=1"] * 2
    assert not passwords.verify("no hash at all", "a guess")


def test_a_suspended_user_learns_so_only_with_the_password(platform: Platform, cast: Cast) -> None:
    with transaction(platform.engine) as tx:
        users.administer(tx, platform.ledger, cast.root, cast.bob.user_id, suspended=True)
    with pytest.raises(Suspended):
        sign_in(platform, "bob", cast.password)
    with pytest.raises(BadCredentials):
        sign_in(platform, "bob", "wrong password")


def test_an_old_hash_is_made_anew(platform: Platform, cast: Cast) -> None:
    dear = Passwords(memory_kib=16, rounds=2)
    with transaction(platform.engine) as tx:
        tx.execute(
            update(tables.users)
            .where(tables.users.c.username == "alice")
            .values(password_hash=dear.hash(cast.password))
        )
    sign_in(platform, "alice", cast.password)
    assert stored_hash(platform, "alice").startswith("$argon2id$v=19$m=8,t=1,p=1$")
    sign_in(platform, "alice", cast.password)


def stored_hash(platform: Platform, username: str) -> str:
    with reading(platform.engine) as tx:
        c = tables.users.c
        return str(tx.execute(select(c.password_hash).where(c.username == username)).scalar_one())


# -- changing the password


def test_changing_the_password_ends_other_sessions(platform: Platform, cast: Cast, told: Told) -> None:
    here, there = (sign_in(platform, "alice", cast.password) for _ in range(2))
    login.change_password(
        platform, cast.alice, here.session.id, current=cast.password, new="another password", address=None
    )
    assert find(platform, here.token)
    assert find(platform, there.token) is None
    with pytest.raises(BadCredentials):
        sign_in(platform, "alice", cast.password)
    sign_in(platform, "alice", "another password")
    assert told.audit()[2:4] == [
        ("alice", "password changed", None, None),
        ("alice", "sessions revoked", None, "1"),
    ]


def test_a_bad_change_of_password(platform: Platform, cast: Cast) -> None:
    session = sign_in(platform, "alice", cast.password).session.id
    for current, new, error in (
        ("wrong password", "another password", BadCredentials),
        (cast.password, "short", InvalidInput),
        (cast.password, "ALICE", InvalidInput),
    ):
        with pytest.raises(error):
            login.change_password(platform, cast.alice, session, current=current, new=new, address=None)
    sign_in(platform, "alice", cast.password)


def test_a_stolen_session_cannot_guess_the_password(platform: Platform, cast: Cast, clock: FakeClock) -> None:
    def guess() -> None:
        login.change_password(platform, cast.alice, "-", current="a guess", new="another password", address=None)

    for _ in range(10):
        with pytest.raises(BadCredentials):
            guess()
    with pytest.raises(TooManyAttempts):
        guess()
    sign_in(platform, "alice", cast.password)  # which keeps nobody from signing in
    clock.advance(minutes=15)
    with pytest.raises(BadCredentials):
        guess()


# -- sessions


def test_a_session_slides_and_ends(platform: Platform, cast: Cast, clock: FakeClock) -> None:
    began = clock()
    token = sign_in(platform, "alice", cast.password).token
    ends = []
    while active := find(platform, token):
        ends.append(active.session.expires_at - began)
        with transaction(platform.engine) as tx:
            sessions.touch(tx, platform.ledger.now(), active.session)
        clock.advance(days=13)
    assert ends == [timedelta(days=days) for days in (14, 14, 27, 40, 53)]
    assert clock() - began == timedelta(days=65)


def test_an_unused_session_ends_after_14_days(platform: Platform, cast: Cast, clock: FakeClock) -> None:
    token = sign_in(platform, "alice", cast.password).token
    clock.advance(days=14, milliseconds=-1)
    assert find(platform, token)
    clock.advance(milliseconds=1)
    assert find(platform, token) is None


def test_use_is_written_at_most_once_a_minute(platform: Platform, cast: Cast, clock: FakeClock) -> None:
    token = sign_in(platform, "alice", cast.password).token

    def seen() -> tuple[datetime, bool]:
        active = find(platform, token)
        assert active
        return active.session.last_seen_at, active.seen_long_ago(clock())

    began = clock()
    clock.advance(seconds=59)
    assert seen() == (began, False)
    clock.advance(seconds=1)
    assert seen() == (began, True)
    active = find(platform, token)
    assert active
    with transaction(platform.engine) as tx:
        sessions.touch(tx, clock(), active.session)
        sessions.touch(tx, clock() + timedelta(seconds=59), active.session)  # another request, a moment behind
    assert seen() == (began + timedelta(minutes=1), False)


def test_looking_a_session_up_is_one_query(platform: Platform, cast: Cast, statements: Statements) -> None:
    token = sign_in(platform, "alice", cast.password).token
    statements.texts.clear()
    assert find(platform, token)
    assert len(statements.texts) == 1


@pytest.mark.parametrize("token", ["", "x", "\ud800", "\x00", "é" * 5000])
def test_a_token_that_is_none(platform: Platform, cast: Cast, token: str) -> None:
    assert find(platform, token) is None


def test_sessions_are_listed_last_used_first(platform: Platform, cast: Cast, clock: FakeClock) -> None:
    sign_in(platform, "bob", cast.password)
    first = sign_in(platform, "alice", cast.password, user_agent="A" * 300)
    clock.advance(minutes=5)
    second = sign_in(platform, "alice", cast.password, user_agent="Bad\x00\r\nagent \N{SPIDER}")
    with reading(platform.engine) as tx:
        found = sessions.list_for(tx, clock(), cast.alice)
    assert found == [second.session, first.session]
    assert [session.user_agent for session in found] == ["Badagent \N{SPIDER}", "A" * 200]


def test_one_s_own_sessions_can_be_revoked(platform: Platform, cast: Cast, told: Told) -> None:
    one, two, three = (sign_in(platform, "alice", cast.password) for _ in range(3))
    bobs = sign_in(platform, "bob", cast.password)
    ledger = platform.ledger
    with transaction(platform.engine) as tx:
        for session_id in (bobs.session.id, "nothing"):
            with pytest.raises(NotFound):
                sessions.revoke(tx, ledger, cast.alice, session_id)
        sessions.revoke(tx, ledger, cast.alice, two.session.id)
    assert [bool(find(platform, each.token)) for each in (one, two, three, bobs)] == [True, False, True, True]
    with transaction(platform.engine) as tx:
        assert sessions.revoke_others(tx, ledger, cast.alice, keep=one.session.id) == 1
        assert sessions.revoke_others(tx, ledger, cast.alice, keep=one.session.id) == 0
    assert [bool(find(platform, each.token)) for each in (one, three, bobs)] == [True, False, True]
    with transaction(platform.engine) as tx:
        assert sessions.revoke_all(tx, ledger, cast.alice) == 1
    assert [bool(find(platform, each.token)) for each in (one, bobs)] == [False, True]
    assert [event for _, event, _, _ in told.audit()[4:]] == ["session revoked", "sessions revoked", "sessions revoked"]


def test_signing_out(platform: Platform, cast: Cast, told: Told) -> None:
    signed_in = sign_in(platform, "alice", cast.password)
    for _ in range(2):  # the second tab's click comes late
        with transaction(platform.engine) as tx:
            sessions.end(tx, platform.ledger, cast.alice, signed_in.session.id)
    assert find(platform, signed_in.token) is None
    who = cast.alice.subject.distinct_id
    assert told.events() == [("logged in", who, {}), ("logged out", who, {})]


def test_somebody_whose_password_changes_meanwhile_is_not_signed_in(platform: Platform, cast: Cast) -> None:
    class Interrupting(Passwords):
        """While this one verifies, somebody else changes the password."""

        def verify(self, stored: str | None, password: str) -> bool:
            with transaction(platform.engine) as tx:
                tx.execute(update(tables.users).values(password_hash=self.hash("a new password")))
            return super().verify(stored, password)

    from dataclasses import replace

    interrupted = replace(platform, passwords=Interrupting(memory_kib=8, rounds=1))
    with pytest.raises(BadCredentials):
        sign_in(interrupted, "alice", cast.password)


def test_two_password_changes_at_once(platform: Platform, cast: Cast, race: Race) -> None:
    session = sign_in(platform, "alice", cast.password).session.id

    def change(new: str) -> str:
        login.change_password(platform, cast.alice, session, current=cast.password, new=new, address=None)
        return new

    found = race(lambda: change("password one"), lambda: change("password two"))
    (winner,) = (one for one in found if isinstance(one, str))
    assert [type(one) for one in found if one != winner] == [BadCredentials]
    sign_in(platform, "alice", winner)
