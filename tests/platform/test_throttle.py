"""Who guesses is slowed down; nobody is locked out by somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, func, select

from flowforge_ui.database import reading, transaction
from flowforge_ui.platform import login, tables
from flowforge_ui.platform.errors import BadCredentials, TooManyAttempts
from flowforge_ui.platform.house import Platform
from flowforge_ui.platform.throttle import Throttle, canonical_address, prune

if TYPE_CHECKING:
    from tests.conftest import Cast, FakeClock
    from tests.platform.conftest import Race

PLANT = "203.0.113.5"
ELSEWHERE = "198.51.100.9"


class Door:
    """Attempts on accounts; a wrong one stays, a right one is taken back."""

    def __init__(self, engine: Engine, clock: FakeClock) -> None:
        self.engine, self.clock, self.throttle = engine, clock, Throttle(b"k" * 32)

    def attempt(self, account: str, address: str | None, cookie: str = "", *, right: bool = False) -> int:
        """0 when it was looked at, else the seconds to wait."""
        try:
            with transaction(self.engine) as tx:
                admitted = self.throttle.admit(tx, self.clock(), account=account, address=address, cookie=cookie)
        except TooManyAttempts as refused:
            return refused.retry_after
        if right:
            with transaction(self.engine) as tx:
                self.throttle.succeeded(tx, admitted)
        return 0

    def fail(self, times: int, account: str, address: str | None, cookie: str = "") -> list[int]:
        return [self.attempt(account, address, cookie) for _ in range(times)]

    def cookie(self, account: str, old: str = "") -> str:
        return self.throttle.remember(self.clock(), account, old)

    def entries(self) -> int:
        with reading(self.engine) as tx:
            return tx.execute(select(func.count()).select_from(tables.login_attempts)).scalar_one()


@pytest.fixture
def door(engine: Engine, clock: FakeClock) -> Door:
    return Door(engine, clock)


def test_an_account_allows_ten_failures_in_a_quarter_of_an_hour(door: Door, clock: FakeClock) -> None:
    for number in range(10):
        assert door.attempt("alice", f"192.0.2.{number}") == 0  # from wherever
        clock.advance(seconds=30)
    assert door.attempt("alice", "192.0.2.200") == 900 - 300
    assert door.attempt("bob", "192.0.2.200") == 0
    clock.advance(seconds=599, milliseconds=999)
    assert door.attempt("alice", "192.0.2.200") == 1
    clock.advance(milliseconds=1)
    assert door.attempt("alice", "192.0.2.200") == 0
    assert door.attempt("alice", "192.0.2.200") == 30


def test_what_is_refused_does_not_prolong_the_wait(door: Door, clock: FakeClock) -> None:
    door.fail(10, "alice", ELSEWHERE)
    clock.advance(minutes=14)
    assert door.fail(3, "alice", ELSEWHERE) == [60, 60, 60]
    clock.advance(minutes=1)
    assert door.attempt("alice", ELSEWHERE) == 0


def test_an_attack_does_not_lock_out_a_browser_that_was_there_before(door: Door) -> None:
    cookie = door.cookie("alice")
    assert door.fail(11, "alice", ELSEWHERE)[-1] > 0
    assert door.attempt("alice", ELSEWHERE, cookie, right=True) == 0
    assert door.attempt("alice", PLANT, cookie, right=True) == 0
    assert door.attempt("alice", PLANT) > 0


def test_a_known_browser_has_its_own_ten(door: Door, clock: FakeClock) -> None:
    cookie, other = door.cookie("alice"), door.cookie("alice")
    assert door.fail(11, "alice", PLANT, cookie) == [0] * 10 + [900]
    assert door.attempt("alice", PLANT, other) == 0
    assert door.attempt("alice", PLANT) == 0
    clock.advance(minutes=15)
    assert door.attempt("alice", PLANT, cookie) == 0


def test_a_guessing_address_is_refused_but_not_the_plant_behind_it(door: Door) -> None:
    cookie = door.cookie("alice")
    assert {door.attempt(f"user{number}", PLANT) for number in range(200)} == {0}
    assert door.attempt("somebody", PLANT) == 900
    assert door.attempt("alice", PLANT, cookie) == 0
    assert door.attempt("somebody", ELSEWHERE) == 0


def test_a_shift_that_signs_in_with_typing_errors_is_not_refused(door: Door) -> None:
    found = set()
    for number in range(70):
        found.update(door.fail(3, f"user{number}", PLANT))
        found.add(door.attempt(f"user{number}", PLANT, right=True))
    assert found == {0}
    assert door.entries() == 0


def test_a_success_takes_back_only_its_own_failures(door: Door) -> None:
    door.fail(5, "alice", ELSEWHERE)
    door.fail(5, "bob", PLANT)
    door.fail(4, "alice", PLANT)
    assert door.attempt("alice", PLANT, right=True) == 0
    assert door.entries() == 10
    assert door.fail(6, "alice", ELSEWHERE) == [0] * 5 + [900]


def test_a_success_of_a_known_browser_leaves_the_attack_counted(door: Door) -> None:
    door.fail(10, "alice", ELSEWHERE)
    cookie = door.cookie("alice")
    door.fail(3, "alice", PLANT, cookie)
    assert door.attempt("alice", PLANT, cookie, right=True) == 0
    assert door.entries() == 10
    assert door.attempt("alice", ELSEWHERE) == 900


def test_attempts_at_the_same_moment_count_each_other(door: Door, race: Race) -> None:
    found = race(*[lambda: door.attempt("alice", PLANT)] * 16)
    assert sorted(found) == [0] * 10 + [900] * 6


@pytest.mark.parametrize(
    "tamper",
    [
        lambda cookie: cookie[:-1] + ("0" if cookie[-1] != "0" else "1"),
        lambda cookie: "f" * 16 + cookie[16:],
        lambda cookie: cookie.replace(".", "", 1),
        lambda cookie: cookie.rpartition(".")[0],
        lambda _cookie: "..",
        lambda _cookie: "\ud800.\udfff.é",
        lambda cookie: "~" * 2000 + cookie,
    ],
)
def test_a_forged_cookie_is_none(door: Door, tamper: object) -> None:
    door.fail(10, "alice", ELSEWHERE)
    assert callable(tamper)
    assert door.attempt("alice", PLANT, tamper(door.cookie("alice"))) == 900


def test_a_cookie_is_for_one_account_and_one_installation(door: Door, engine: Engine, clock: FakeClock) -> None:
    door.fail(10, "alice", ELSEWHERE)
    door.fail(10, "bob", ELSEWHERE)
    both = door.cookie("bob", door.cookie("alice"))
    assert [door.attempt(who, PLANT, door.cookie("bob")) for who in ("alice", "bob")] == [900, 0]
    assert [door.attempt(who, PLANT, both) for who in ("alice", "bob")] == [0, 0]
    foreign = Throttle(b"other" * 8).remember(clock(), "alice")
    assert door.attempt("alice", PLANT, foreign) == 900
    clock.advance(days=365)
    door.fail(10, "alice", ELSEWHERE)
    assert door.attempt("alice", PLANT, both) == 900  # it has grown old


def test_a_cookie_remembers_five_accounts(door: Door) -> None:
    cookie = ""
    for number in range(7):
        cookie = door.cookie(f"user{number}", cookie)
    assert len(cookie.split("~")) == 5
    again = door.cookie("user6", cookie)
    assert again.split("~")[1:] == cookie.split("~")[1:]
    assert len(cookie) < 400


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        (None, ""),
        ("unix:", ""),
        ("192.0.2.1, 192.0.2.2", ""),
    ],
)
def test_one_source_has_one_name(address: str | None, canonical: str) -> None:
    assert canonical_address(address) == canonical


def test_neither_address_nor_name_is_kept(door: Door) -> None:
    door.fail(1, "my secret password", PLANT)
    with reading(door.engine) as tx:
        row = tx.execute(select(tables.login_attempts)).one()
    text = " ".join(map(str, row))
    assert PLANT not in text
    assert "secret" not in text
    other = Throttle(b"another installation's key......")
    with transaction(door.engine) as tx:
        attempt = other.admit(tx, door.clock(), account="my secret password", address=PLANT)
    assert (attempt.account, attempt.address) != (row.account, row.address)


def test_what_no_window_reaches_is_deleted(door: Door, clock: FakeClock) -> None:
    door.fail(2, "alice", PLANT)
    clock.advance(minutes=14)
    door.fail(1, "alice", PLANT)
    clock.advance(minutes=1)
    with transaction(door.engine) as tx:
        assert prune(tx, clock()) == 2
    assert door.entries() == 1


def test_at_the_login(platform: Platform, cast: Cast) -> None:
    """An attacker at the plant's own address against alice, who signed in there before; and a new colleague."""

    def sign_in(username: str, password: str, cookie: str = "") -> login.SignedIn:
        return login.sign_in(platform, username=username, password=password, address=PLANT, device_cookie=cookie)

    known = sign_in("alice", cast.password).device_cookie
    for _ in range(10):
        with pytest.raises(BadCredentials):
            sign_in("alice", "a guess")
    with pytest.raises(TooManyAttempts):
        sign_in("ALICE", cast.password)  # even the right one is not looked at: guessing has to be pointless
    assert sign_in("alice", cast.password, known).user.username == "alice"
    assert sign_in("bob", cast.password).user.username == "bob"
