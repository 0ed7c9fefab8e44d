"""A copied database shows as a fork of the chain of receipts; a lost answer does not."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from flowforge_ui.collector.ping import MOST_CHAINS, Chain, Ping, follow
from tests.support.collector import House


def ping(seq: int | None, last: str | None) -> Ping:
    return Ping("i", "p", "s", "r", 0, 0, None, None, seq, last, None, {})


ONE = [Chain(0, "head", 5, 0)]
TWO = [Chain(0, "head", 5, 0), Chain(1, "other", 9, 0)]


@pytest.mark.parametrize(
    ("chains", "seq", "last", "known", "number"),
    [
        pytest.param([], 1, None, None, 0, id="the first of all"),
        pytest.param(ONE, 6, "head", None, 0, id="the next one"),
        pytest.param(ONE, 9, "older", ONE[0], 0, id="answers got lost in between"),
        pytest.param(ONE, 6, None, None, 0, id="no answer ever came"),
        pytest.param(ONE, 6, "gone", None, 0, id="its receipt has expired"),
        pytest.param(ONE, 5, "older", ONE[0], 1, id="a copy that has sent nothing yet"),
        pytest.param(TWO, 9, "older", TWO[1], 2, id="a copy of a copy"),
        pytest.param(TWO, 10, "other", None, 1, id="the second copy goes on"),
        pytest.param(TWO, 6, "head", None, 0, id="the first copy goes on"),
        pytest.param(ONE, None, None, None, 0, id="an older platform says nothing of itself"),
    ],
)
def test_which_copy_speaks(
    chains: list[Chain], seq: int | None, last: str | None, known: Chain | None, number: int
) -> None:
    assert follow(chains, ping(seq, last), known) == number


def test_one_copy_too_many_takes_the_place_of_the_one_silent_longest() -> None:
    full = [Chain(number, f"head{number}", 9, 100 - number) for number in range(MOST_CHAINS)]
    assert follow(full, ping(1, None), None) == MOST_CHAINS - 1
    assert follow(full, ping(10, "head3"), None) == 3


def send(house: House, seq: int, last: str | None = None) -> str:
    answer = house.client.post("/ping", json=house.ping(envelope=house.envelope(seq, last)))
    assert answer.status_code == 202
    return str(answer.get_json()["receipt"])


def copied(house: House) -> int:
    house.clock.forward(days=1)
    tiles = {each["key"]: each["value"] for each in house.fleet()["tiles"]}
    house.clock.forward(days=-1)
    return int(tiles["copies"])


def test_a_copied_database_is_seen_and_counted_once(house: House) -> None:
    first = send(house, 1)
    house.clock.forward(hours=1)
    original = send(house, 2, first)
    house.clock.forward(hours=1)
    send(house, 2, first)  # the copy was taken before the second ping
    house.clock.forward(hours=1)
    send(house, 3, original)

    house.clock.forward(days=1)
    tiles = {each["key"]: each["value"] for each in house.fleet()["tiles"]}
    assert (tiles["active_day"], tiles["copies"]) == (1, 1)


def test_a_lost_answer_is_no_copy(house: House) -> None:
    first = send(house, 1)
    house.clock.forward(hours=1)
    send(house, 2, first)  # this answer gets lost
    house.clock.forward(hours=1)
    third = send(house, 3, first)
    house.clock.forward(hours=1)
    send(house, 4, third)

    assert copied(house) == 0


def test_a_copy_that_has_fallen_silent_no_longer_counts(house: House) -> None:
    first = send(house, 1)
    house.clock.forward(hours=1)
    send(house, 2, first)
    house.clock.forward(days=3)
    send(house, 2, first)  # a backup brought back: the later history ended

    assert copied(house) == 0


def test_made_up_histories_leave_no_more_than_a_few(house: House) -> None:
    """A sender that always gives the same number looks like another copy each time."""
    for _ in range(3 * MOST_CHAINS):
        send(house, 1)
    chain = house.service.store.tables.chain
    with house.service.store.reading() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(chain)).scalar_one() == MOST_CHAINS
