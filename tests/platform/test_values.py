"""Which names there may be: one that can be seen, and that leaves alone what stands beside it."""

from __future__ import annotations

import pytest

from flowforge_ui.platform.values import email_problem, name_problem

CONTROL = "No control characters."
INVISIBLE = "At least one character has to be visible."
TURNING = [*"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029"]


@pytest.mark.parametrize(
    "name",
    [
        "Plant 7",
        "\u0645\u0635\u0646\u0639",
        "\u05de\u05e4\u05e2\u05dc 7",
        "\ud55c\uae00",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family: one picture of three, joined by what is not seen
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian needs the non-joiner
        "e\u0301",
        "\u20e3 1",
    ],
)
def test_names_of_every_script(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("place", ["{}Plant", "Pl{}ant", "Plant{}x"])
@pytest.mark.parametrize("one", TURNING)
def test_nothing_that_turns_text_round_or_breaks_its_line(one: str, place: str) -> None:
    assert name_problem(place.format(one)) == CONTROL
    assert email_problem(f"{place.format(one)}@plant.example") is not None


@pytest.mark.parametrize(
    "name",
    ["\u200b", "\u200d\u200d", "\u00ad", "\ufeff", "\u2060 \u200b", "\u3164", "\u2800\u2800", "\u115f\u1160", "\u034f"],
)
def test_a_name_is_seen(name: str) -> None:
    assert name_problem(name) == INVISIBLE
