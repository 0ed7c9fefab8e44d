"""What is on at this moment: the decisions of configuration, set-up and Admin Settings together."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flowforge_ui.database import reading
from flowforge_ui.platform import settings as chosen_settings
from flowforge_ui.platform import setup
from flowforge_ui.telemetry.decision import CHANNELS, Channel, Decision, Facts, LayerName, Stated, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection, Engine

    from flowforge_ui.config import Settings
    from flowforge_ui.config.table import Layer, Origin

FRESH_SECONDS = 1.0
"""How long another process may go on with what an administrator has just changed in this one."""

_LAYERS: Mapping[Layer, LayerName] = {
    "default": "default",
    "file": "file",
    "secret_file": "file",
    "environment": "environment",
}
_LOCAL = "telemetry.frontend.local.enabled"


@dataclass(frozen=True, slots=True)
class Now:
    """The platform's switches, and what follows from them."""

    setup: setup.SetupState
    chosen: chosen_settings.Settings
    decisions: Mapping[Channel, Decision]
    facts: Facts

    @property
    def sinks(self) -> tuple[str, ...]:
        """Where an event recorded now has to go; nothing is recorded before set-up is finished."""
        sinks: tuple[Channel, ...] = ("local", "posthog")
        return tuple(name for name in sinks if self.on(name))

    def on(self, channel: Channel) -> bool:
        return self.setup.finished and self.decisions[channel].allowed

    @property
    def starting(self) -> tuple[bool, bool]:
        """Core ping and local analytics as they are once the set-up is finished."""
        return self.once_finished("ping").allowed, self.once_finished("local").allowed

    def once_finished(self, channel: Channel) -> Decision:
        """What is on as soon as the set-up is finished, if nothing else changes until then."""
        return decide(channel, replace(self.facts, setup_finished=True))

    def wish(self, channel: Channel, wish: bool) -> bool | None:
        """A wish as it may be stored: None where the configuration has decided, so that there is none to make."""
        return None if self.decisions[channel].locked else wish


def local_as_stated(settings: Settings) -> Stated:
    """Local analytics as the configuration has it; Admin Settings decide where it is silent and could be obeyed."""
    local = settings.telemetry.frontend.local
    if settings.workers > 1 and local.url.startswith("duckdb:"):
        return Stated(value=False, layer="file", where=f"{_place(settings.origin('workers'))} (several workers)")
    origin = settings.origin(_LOCAL)
    return Stated(local.enabled, _LAYERS[origin.layer], _place(origin))


def sending_as_stated(settings: Settings) -> Stated | None:
    origin = settings.sending_disabled_by
    if origin is None:
        return None
    return Stated(value=False, layer="environment" if origin.layer == "environment" else "file", where=_place(origin))


def _place(origin: Origin) -> str:
    """The file's name and line, or the variable; in which folder the file is, no browser needs to know."""
    return origin.where.replace("\\", "/").rpartition("/")[2]


class Channels:
    """Reads the switches, at most once a second while nothing changes them."""

    def __init__(self, settings: Settings, engine: Engine, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        frontend = settings.telemetry.frontend
        self._sending = sending_as_stated(settings)
        self._local = local_as_stated(settings)
        self._key = frontend.posthog.apikey
        self._domain = frontend.plausible.domain
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._generation = 0
        self._held: tuple[float, Now] | None = None

    def now(self, tx: Connection) -> Now:
        """What `tx` sees or, once set-up is finished, what was true within the last second."""
        held, at = self._held, self._monotonic()
        if held is not None and at - held[0] < FRESH_SECONDS:
            return held[1]
        generation = self._generation
        now = self.read(tx)
        if now.setup.finished:
            with self._lock:
                if generation == self._generation:
                    self._held = (at, now)
        return now

    def current(self) -> Now:
        """`now` for whoever has no transaction of its own."""
        held = self._held
        if held is not None and self._monotonic() - held[0] < FRESH_SECONDS:
            return held[1]
        with reading(self._engine) as tx:
            return self.now(tx)

    def changed(self) -> None:
        """Somebody has committed a change: forget what was read before."""
        with self._lock:
            self._generation += 1
            self._held = None

    def read(self, tx: Connection) -> Now:
        state, chosen = setup.state(tx), chosen_settings.read(tx)
        facts = Facts(
            sending=self._sending,
            setup_finished=state.finished,
            admin_telemetry=chosen.telemetry_enabled,
            posthog_key=self._key,
            local=self._local,
            admin_local=chosen.local_analytics,
            plausible_domain=self._domain,
        )
        return Now(state, chosen, {channel: decide(channel, facts) for channel in CHANNELS}, facts)
