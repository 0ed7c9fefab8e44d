"""Pseudonyms and tickets."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowforge_ui.telemetry.event import ROLES, Role, new_uuid
from flowforge_ui.telemetry.identity import TICKET_LIFETIME_MS, Identity, IdentityMode, Pseudonyms

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
OURS = Pseudonyms(b"0123456789abcdef")


def test_pseudonyms_are_26_characters_after_their_kind() -> None:
    for pseudonym, prefix in ((OURS.user("1"), "u_"), (OURS.team("1"), "t_"), (OURS.project("1"), "p_")):
        assert re.fullmatch(prefix + "[a-z2-7]{26}", pseudonym)


def test_pseudonyms_are_lasting_and_apart() -> None:
    assert OURS.user("1") == Pseudonyms(b"0123456789abcdef").user("1")
    made = [OURS.user("1"), OURS.user("2"), OURS.team("1"), OURS.project("1"), Pseudonyms(b"x" * 16).user("1")]
    assert len({pseudonym[2:] for pseudonym in made}) == 5


def test_a_known_pseudonym() -> None:
    """It must never change: what was recorded under it would fall apart."""
    assert OURS.user("alice") == "u_p3ikc4rvp53m7f35v5d55padti"


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Pseudonyms(b"short")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("distinct_id", [OURS.user("1"), "alice", "Ünicode \n 🙂", ""])
def test_a_ticket_opens_to_whom_it_was_given(distinct_id: str, role: Role) -> None:
    assert OURS.open(OURS.ticket(distinct_id, NOW, role), NOW) == Identity(distinct_id, role)


def test_a_ticket_ends() -> None:
    ticket = OURS.ticket("u_1", NOW)
    end = NOW + timedelta(milliseconds=TICKET_LIFETIME_MS)
    assert OURS.open(ticket, end - timedelta(milliseconds=1)) == Identity("u_1", "user")
    assert OURS.open(ticket, end) is None


@pytest.mark.parametrize("before", ["anonymous", "username"])
def test_a_ticket_from_before_the_mode_was_changed_does_not_open(before: IdentityMode) -> None:
    """It names nobody, or by a name that must not be told any more."""
    assert OURS.open(Pseudonyms(b"0123456789abcdef", before).ticket("alice", NOW), NOW) is None


def test_a_ticket_of_another_installation_does_not_open() -> None:
    assert OURS.open(Pseudonyms(b"another secret..").ticket("u_1", NOW), NOW) is None


@given(st.data())
def test_a_changed_ticket_does_not_open(data: st.DataObject) -> None:
    ticket = OURS.ticket("u_1", NOW)
    at = data.draw(st.integers(0, len(ticket) - 1))
    other = data.draw(st.characters(codec="ascii", exclude_characters=ticket[at]))
    changed = ticket[:at] + other + ticket[at + 1 :]
    opened = OURS.open(changed, NOW)
    # The last character of each part carries bits that decoding ignores; the words stay the same then.
    assert opened is None or opened == Identity("u_1", "user")


@given(st.text())
def test_no_text_is_a_ticket(text: str) -> None:
    assert OURS.open(text, NOW) is None


def test_uuids_are_in_the_order_of_time_and_of_version_7() -> None:
    made = [new_uuid() for _ in range(100)]
    assert len(set(made)) == 100
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", uuid) for uuid in made
    )
    assert [uuid[:13] for uuid in made] == sorted(uuid[:13] for uuid in made)
