"""The platform as one value: what whoever answers requests needs to act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowforge_ui.database import transaction

from . import audit, sessions, throttle
from .record import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from sqlalchemy import Connection, Engine

    from flowforge_ui.telemetry.identity import Pseudonyms
    from flowforge_ui.telemetry.recorder import Recorder

    from .drivers import Driver
    from .installation import Installation
    from .passwords import Passwords
    from .values import Clock


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything the acts take, put together once by the composition root."""

    engine: Engine
    clock: Clock
    ledger: Ledger
    pseudonyms: Pseudonyms
    driver: Driver
    installation: Installation
    passwords: Passwords
    throttle: throttle.Throttle

    @classmethod
    def build(
        cls,
        *,
        engine: Engine,
        clock: Clock,
        recorder: Recorder,
        forget: Callable[[Connection, str], object],
        pseudonyms: Pseudonyms,
        driver: Driver,
        installation: Installation,
        passwords: Passwords,
    ) -> Platform:
        return cls(
            engine=engine,
            clock=clock,
            ledger=Ledger(recorder, pseudonyms, clock, forget),
            pseudonyms=pseudonyms,
            driver=driver,
            installation=installation,
            passwords=passwords,
            throttle=throttle.Throttle(installation.key("throttle")),
        )

    def chores(self, *, keep_audit: timedelta) -> dict[str, Callable[[], None]]:
        """What has to be done now and then, by the name of the job: nothing here grows for ever."""

        def clean_sessions() -> None:
            with transaction(self.engine) as tx:
                sessions.prune(tx, self.ledger.now())

        def clean_throttle() -> None:
            with transaction(self.engine) as tx:
                throttle.prune(tx, self.ledger.now())

        def clean_audit() -> None:
            with transaction(self.engine) as tx:
                audit.prune(tx, self.ledger.now() - keep_audit)

        return {"sessions": clean_sessions, "throttle": clean_throttle, "audit": clean_audit}
