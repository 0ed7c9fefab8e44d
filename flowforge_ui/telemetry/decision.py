"""May this channel record or send? Pure: values in, a decision with every layer and the one that decided out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Channel = Literal["ping", "posthog", "local", "plausible"]
CHANNELS: tuple[Channel, ...] = ("ping", "posthog", "local", "plausible")

LayerName = Literal["environment", "file", "setup", "admin", "default"]
Reason = Literal[
    "switched_on",
    "switched_off",
    "sending_disabled",
    "setup_unfinished",
    "setting_unreadable",
    "no_key",
    "personal_key",
    "no_domain",
]

EXPLANATIONS: dict[Reason, str] = {
    "switched_on": "It is switched on.",
    "switched_off": "It is switched off.",
    "sending_disabled": "Nothing leaves this platform.",
    "setup_unfinished": "The set-up is not finished yet.",
    "setting_unreadable": "The stored setting is neither on nor off, so it counts as off.",
    "no_key": "No PostHog project key is configured.",
    "personal_key": "The configured key is a personal one (phx_); the project key is needed.",
    "no_domain": "No Plausible domain is configured.",
}


@dataclass(frozen=True, slots=True)
class Stated:
    """A value together with where it was stated, e.g. `Stated(False, "file", "flowforge.yml:12")`."""

    value: bool
    layer: LayerName
    where: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision depends on.

    `sending` says False when the environment or the file forbids that anything leaves, else it is None.
    `admin_telemetry` and `admin_local` are Admin Settings as stored; None while nobody has set them.
    `local` is `telemetry.frontend.local.enabled` with its layer; on layer `default` Admin Settings may decide.
    """

    sending: Stated | None = None
    setup_finished: bool = False
    admin_telemetry: object = None
    posthog_key: str | None = None
    local: Stated = Stated(value=False, layer="default")
    admin_local: object = None
    plausible_domain: str | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """What one layer says (`value`: on, off, or "" when it says nothing), where, and whether it decided."""

    layer: LayerName
    value: Literal["on", "off", ""]
    decides: bool = False
    where: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """`locked` tells that no switch in the user interface can change it."""

    channel: Channel
    allowed: bool
    reason: Reason
    decided_by: LayerName
    layers: tuple[Layer, ...]

    @property
    def explanation(self) -> str:
        """One plain sentence, with the place that decided when there is one."""
        where = next((layer.where for layer in self.layers if layer.decides), "")
        return EXPLANATIONS[self.reason] + (f" Decided by {where}." if where else "")

    @property
    def locked(self) -> bool:
        return self.decided_by in {"environment", "file"}


@dataclass(frozen=True, slots=True)
class _Vote:
    """One layer's opinion. `final` ends the search; an opinion without it only shows."""

    layer: LayerName
    value: bool | None
    reason: Reason
    where: str = ""


def decide(channel: Channel, facts: Facts) -> Decision:
    """The first layer with an opinion decides; the order of the layers is the order of their power."""
    votes = _VOTES[channel](facts)
    at = next(index for index, vote in enumerate(votes) if vote.value is not None)
    chosen = votes[at]
    layers = tuple(
        Layer(vote.layer, _word(vote.value), decides=index == at, where=vote.where) for index, vote in enumerate(votes)
    )
    return Decision(channel, allowed=chosen.value is True, reason=chosen.reason, decided_by=chosen.layer, layers=layers)


def _ping(facts: Facts) -> list[_Vote]:
    return [
        *_sending(facts),
        _Vote("setup", None if facts.setup_finished else False, "setup_unfinished"),
        _setting(facts.admin_telemetry),
        _Vote("default", value=True, reason="switched_on"),
    ]


def _posthog(facts: Facts) -> list[_Vote]:
    key = (facts.posthog_key or "").strip()
    if key.startswith("phx_"):
        own = _Vote("file", value=False, reason="personal_key")
    elif key:
        own = _Vote("file", value=True, reason="switched_on")
    else:
        own = _Vote("default", value=False, reason="no_key")
    return [*_sending(facts), own]


def _local(facts: Facts) -> list[_Vote]:
    """Nothing leaves here, so what forbids sending says nothing about it."""
    stated = facts.local
    votes = [_setting(facts.admin_local), _Vote("default", stated.value, _on_off(stated.value))]
    if stated.layer in {"environment", "file"}:
        return [_Vote(stated.layer, stated.value, _on_off(stated.value), stated.where), *votes]
    return votes


def _plausible(facts: Facts) -> list[_Vote]:
    if (facts.plausible_domain or "").strip():
        own = _Vote("file", value=True, reason="switched_on")
    else:
        own = _Vote("default", value=False, reason="no_domain")
    return [*_sending(facts), own]


_VOTES = {"ping": _ping, "posthog": _posthog, "local": _local, "plausible": _plausible}


def _sending(facts: Facts) -> list[_Vote]:
    """The two layers that may forbid that anything leaves. What they allow they leave to the next one."""
    stated = facts.sending
    layers: tuple[LayerName, LayerName] = ("environment", "file")
    return [
        _Vote(layer, False if said else None, "sending_disabled", stated.where if said and stated else "")
        for layer in layers
        for said in [stated is not None and stated.layer == layer and not stated.value]
    ]


def _setting(stored: object) -> _Vote:
    if stored is None:
        return _Vote("admin", None, "switched_on")
    if isinstance(stored, bool):
        return _Vote("admin", stored, _on_off(stored))
    return _Vote("admin", value=False, reason="setting_unreadable")


def _on_off(value: bool) -> Reason:
    return "switched_on" if value else "switched_off"


def _word(value: bool | None) -> Literal["on", "off", ""]:
    if value is None:
        return ""
    return "on" if value else "off"
