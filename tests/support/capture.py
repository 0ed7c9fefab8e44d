"""A capture endpoint on a test's database, and events as posthog-js sends them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from flowforge_ui.telemetry.capture import Capture, CaptureAnswer, CaptureRequest
from flowforge_ui.telemetry.event import Event
from flowforge_ui.telemetry.identity import IdentityMode, Pseudonyms
from flowforge_ui.telemetry.intake import Intake
from flowforge_ui.telemetry.outbox import Outbox
from flowforge_ui.telemetry.plan import Plan
from flowforge_ui.telemetry.redact import Redactor
from tests.support.outbox import BOTH, outbox_on

KEY, LOCAL = "phc_key", "local_token"
BASE_URL = "https://flows.example"
ANONYMOUS = "01a20757-10ab-7eec-ad5c-9c58e2135fef"
PSEUDONYMS = Pseudonyms(b"installation's secret, long enough")
ALICE = PSEUDONYMS.user("alice")
BOB = PSEUDONYMS.user("bob")


@dataclass
class Endpoint:
    """`post` hands a body in; `stored` is what stands in the log, oldest first."""

    outbox: Outbox
    capture: Capture
    sinks: list[str] = field(default_factory=lambda: list(BOTH))

    def post(
        self,
        body: object,
        path: str = "/e/",
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> CaptureAnswer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.capture.handle(CaptureRequest(method, path, raw, headers or {}, query or {}))

    def status(self, body: object, path: str = "/e/", **options: Any) -> int:
        return self.post(body, path, **options).status

    @property
    def stored(self) -> list[Event]:
        return [recorded.event for recorded in reversed(self.outbox.recent(limit=5000))]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Accepted and dropped."""
        self.capture.intake.flush()
        return {kind: names for kind, names in self.outbox.counts().items() if kind in {"accepted", "dropped"}}

    @property
    def refused(self) -> dict[str, int]:
        self.capture.intake.flush()
        return self.outbox.counts().get("refused", {})


def endpoint(
    engine: Engine,
    plan: Plan,
    clock: Callable[[], datetime],
    *,
    identity: IdentityMode = "pseudonymous",
    opted_out: Callable[[str], bool] = lambda _: False,
    base_url: str = BASE_URL,
    **options: Any,
) -> Endpoint:
    outbox = outbox_on(engine, clock)
    sinks = list(BOTH)
    capture = Capture(
        plan=plan,
        redactor=Redactor(plan, base_url),
        pseudonyms=PSEUDONYMS,
        intake=Intake(outbox),
        tokens=lambda: (KEY, LOCAL),
        sinks=lambda: sinks,
        app_version="0.9.0",
        identity=identity,
        opted_out=opted_out,
        clock=clock,
        **options,
    )
    return Endpoint(outbox, capture, sinks)


def ticket(subject: str = ALICE, at: datetime | None = None) -> str:
    return PSEUDONYMS.ticket(subject, at or datetime(2026, 3, 2, 7, 0, tzinfo=UTC))


def view(number: int = 0, *, distinct_id: str = ANONYMOUS, **properties: object) -> dict[str, Any]:
    """A `$pageview` whose uuid tells its number; more properties may be given, None takes one away."""
    given = {"token": KEY, "distinct_id": distinct_id, "route": "home", "nav_type": "push", **properties}
    return {
        "event": "$pageview",
        "uuid": f"00000000-0000-7000-8000-{number:012x}",
        "properties": {name: value for name, value in given.items() if value is not None},
    }
