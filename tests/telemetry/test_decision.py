"""May this channel record or send? Every combination of what is said where."""

from __future__ import annotations

from itertools import product

import pytest

from flowforge_ui.telemetry.decision import CHANNELS, EXPLANATIONS, Channel, Decision, Facts, Layer, Stated, decide

ENVIRONMENT = Stated(value=False, layer="environment", where="DO_NOT_TRACK")
FILE = Stated(value=False, layer="file", where="flowforge.yml:12")

SENDING = [None, Stated(value=True, layer="file", where="flowforge.yml:12"), ENVIRONMENT, FILE]
SETTINGS: list[object] = [None, True, False, "perhaps"]
KEYS = [None, "", "phc_key", "phx_key"]
LOCALS = [Stated(value, layer) for value, layer in product([True, False], ["default", "file", "environment"])]  # type: ignore[arg-type]
DOMAINS = [None, "", "plant.example"]


def every() -> list[Facts]:
    return [
        Facts(sending, done, telemetry, key, local, kept, domain)
        for sending, done, telemetry, key, local, kept, domain in product(
            SENDING, [True, False], SETTINGS, KEYS, LOCALS, SETTINGS, DOMAINS
        )
    ]


def stopped(facts: Facts) -> bool:
    return facts.sending in {ENVIRONMENT, FILE}


def test_every_combination() -> None:
    """The rules said once more, in one line each, as the documentation says them."""
    combinations = every()
    assert len(combinations) == 4 * 2 * 4 * 4 * 6 * 4 * 3
    for facts in combinations:
        setting_on = facts.admin_telemetry in {None, True}
        fixed = facts.local.layer != "default" or facts.admin_local is None
        assert decide("ping", facts).allowed is (not stopped(facts) and facts.setup_finished and setting_on)
        assert decide("posthog", facts).allowed is (not stopped(facts) and facts.posthog_key == "phc_key")
        assert decide("local", facts).allowed is (facts.local.value if fixed else facts.admin_local is True)
        assert decide("plausible", facts).allowed is (not stopped(facts) and facts.plausible_domain == "plant.example")


def test_one_layer_decides_and_it_says_what_came_of_it() -> None:
    for facts in every():
        for channel in CHANNELS:
            decision = decide(channel, facts)
            (deciding,) = [layer for layer in decision.layers if layer.decides]
            assert deciding.layer == decision.decided_by
            assert (deciding.value == "on") is decision.allowed
            before = decision.layers[: decision.layers.index(deciding)]
            assert all(layer.value == "" for layer in before)
            assert decision.reason in EXPLANATIONS


def test_what_forbids_sending_says_nothing_about_keeping() -> None:
    facts = Facts(sending=ENVIRONMENT, local=Stated(value=True, layer="file"), posthog_key="phc_key")
    assert [decide(channel, facts).allowed for channel in CHANNELS] == [False, False, True, False]


@pytest.mark.parametrize(
    ("channel", "facts", "expected"),
    [
        (
            "ping",
            Facts(sending=FILE, setup_finished=True, admin_telemetry=True),
            Decision(
                "ping",
                allowed=False,
                reason="sending_disabled",
                decided_by="file",
                layers=(
                    Layer("environment", ""),
                    Layer("file", "off", decides=True, where="flowforge.yml:12"),
                    Layer("setup", ""),
                    Layer("admin", "on"),
                    Layer("default", "on"),
                ),
            ),
        ),
        (
            "ping",
            Facts(setup_finished=True, admin_telemetry="perhaps"),
            Decision(
                "ping",
                allowed=False,
                reason="setting_unreadable",
                decided_by="admin",
                layers=(
                    Layer("environment", ""),
                    Layer("file", ""),
                    Layer("setup", ""),
                    Layer("admin", "off", decides=True),
                    Layer("default", "on"),
                ),
            ),
        ),
        (
            "posthog",
            Facts(),
            Decision(
                "posthog",
                allowed=False,
                reason="no_key",
                decided_by="default",
                layers=(Layer("environment", ""), Layer("file", ""), Layer("default", "off", decides=True)),
            ),
        ),
        (
            "local",
            Facts(admin_local=True),
            Decision(
                "local",
                allowed=True,
                reason="switched_on",
                decided_by="admin",
                layers=(Layer("admin", "on", decides=True), Layer("default", "off")),
            ),
        ),
    ],
)
def test_every_layer_is_shown(channel: Channel, facts: Facts, expected: Decision) -> None:
    assert decide(channel, facts) == expected


def test_it_is_said_in_a_sentence_and_whether_a_switch_can_change_it() -> None:
    decision = decide("ping", Facts(sending=ENVIRONMENT, setup_finished=True))
    assert (decision.explanation, decision.locked) == ("Nothing leaves this platform. Decided by DO_NOT_TRACK.", True)
    decision = decide("ping", Facts(setup_finished=True, admin_telemetry=False))
    assert (decision.explanation, decision.locked) == ("It is switched off.", False)
    assert decide("local", Facts(local=Stated(value=True, layer="file"))).locked
    assert not decide("local", Facts()).locked
