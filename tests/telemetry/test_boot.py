"""What a page is told, for every way telemetry may be set up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from flowforge_ui.telemetry.boot import PageSettings, Person, relayed_sinks, telemetry_facts
from flowforge_ui.telemetry.decision import Decision, Facts, Stated, decide
from flowforge_ui.telemetry.event import Subject
from flowforge_ui.telemetry.plausible import DEPRECATION, REMOVAL, Plausible

RELAY = "https://flows.example/x7f3a9"
SETTINGS = PageSettings(api_host=RELAY, local_token="local", apikey="phc_key", host="https://eu.i.posthog.com")
ALICE = Person(Subject("u_alice", role="user"), "ticket-of-alice")
ON = decide("posthog", Facts(posthog_key="phc_key"))
OFF = decide("posthog", Facts())
LOCAL_ON = decide("local", Facts(local=Stated(value=True, layer="file")))
LOCAL_OFF = decide("local", Facts())


def facts(
    settings: PageSettings = SETTINGS,
    posthog: Decision = ON,
    local: Decision = LOCAL_ON,
    person: Person | None = ALICE,
    plausible: Plausible | None = None,
) -> dict[str, Any]:
    return telemetry_facts(settings, posthog=posthog, local=local, plausible=plausible, person=person)


def test_with_everything_on_one_sdk_feeds_both_through_this_server() -> None:
    assert facts() == {
        "posthog": {
            "apikey": "phc_key",
            "api_host": RELAY,
            "local": None,
            "capture_pageview": False,
            "transport": "relay",
            "pageleave": "route",
            "person": {"distinct_id": "u_alice", "ticket": "ticket-of-alice"},
            "dev": False,
        },
        "plausible": None,
        "respect": {"gpc": True, "dnt": True},
    }


def test_with_local_analytics_only_the_key_is_ours() -> None:
    posthog = facts(posthog=OFF)["posthog"]
    assert (posthog["apikey"], posthog["api_host"], posthog["local"]) == ("local", RELAY, None)


def test_direct_talks_to_posthog_and_to_us_beside_it() -> None:
    direct = replace(SETTINGS, transport="direct")
    posthog = facts(direct)["posthog"]
    assert (posthog["apikey"], posthog["api_host"]) == ("phc_key", "https://eu.i.posthog.com")
    assert posthog["local"] == {"apikey": "local", "api_host": RELAY}
    assert posthog["person"] == {"distinct_id": "u_alice", "ticket": "ticket-of-alice"}
    alone = facts(direct, local=LOCAL_OFF)["posthog"]
    assert (alone["local"], alone["person"]) == (None, {"distinct_id": "u_alice", "ticket": None})


def test_direct_without_a_key_is_a_relay() -> None:
    posthog = facts(replace(SETTINGS, transport="direct"), posthog=OFF)["posthog"]
    assert (posthog["transport"], posthog["apikey"], posthog["api_host"]) == ("relay", "local", RELAY)


def test_with_everything_off_a_page_gets_nothing() -> None:
    assert facts(posthog=OFF, local=LOCAL_OFF)["posthog"] is None


@pytest.mark.parametrize("settings", [SETTINGS, replace(SETTINGS, transport="direct")])
def test_who_opted_out_gets_nothing(settings: PageSettings) -> None:
    gone = Person(Subject("u_alice", opted_out=True), "ticket")
    told = facts(settings, person=gone, plausible=Plausible("plant.example"))
    assert (told["posthog"], told["plausible"]) == (None, None)


def test_nobody_is_named_who_is_not_signed_in_or_shall_not_be_known() -> None:
    assert facts(person=None)["posthog"]["person"] is None
    unnamed = facts(replace(SETTINGS, identity="anonymous"))["posthog"]["person"]
    assert unnamed == {"distinct_id": None, "ticket": "ticket-of-alice"}


def test_what_a_page_tells_posthog_itself_is_not_told_again() -> None:
    direct = replace(SETTINGS, transport="direct")
    assert relayed_sinks(SETTINGS, posthog=ON, local=LOCAL_ON) == ("local", "posthog")
    assert relayed_sinks(direct, posthog=ON, local=LOCAL_ON) == ("local",)
    assert relayed_sinks(direct, posthog=ON, local=LOCAL_OFF) == ()
    assert relayed_sinks(SETTINGS, posthog=OFF, local=LOCAL_OFF) == ()


# Plausible


@pytest.mark.parametrize(
    ("domain", "src", "expected"),
    [
        (None, "https://plausible.io", None),
        (" ", None, None),
        ("plant.example", None, Plausible("plant.example", "https://plausible.io")),
        (" plant.example ", "https://stats.example:8000/", Plausible("plant.example", "https://stats.example:8000")),
        ("plant.example", "https://plausible.io/js/plausible.js", Plausible("plant.example", "https://plausible.io")),
    ],
)
def test_plausibles_facts(domain: str | None, src: str | None, expected: Plausible | None) -> None:
    assert Plausible.of(domain, src) == expected


def test_plausible_beside_and_without_posthog() -> None:
    shim = Plausible("plant.example", "https://stats.example")
    told = {"domain": "plant.example", "src": "https://stats.example"}
    assert facts(plausible=shim)["plausible"] == told
    assert facts(posthog=OFF, local=LOCAL_OFF, plausible=shim) == {
        "posthog": None,
        "plausible": told,
        "respect": {"gpc": True, "dnt": True},
    }
    assert (shim.connect_origin, shim.endpoint) == ("https://stats.example", "https://stats.example/api/event")


def test_the_deprecation_has_a_date_and_a_way_out() -> None:
    assert date(2026, 11, 23) < REMOVAL
    assert REMOVAL.isoformat() in DEPRECATION
    assert "telemetry.frontend.posthog.apikey" in DEPRECATION
