"""A collector of our own for each test, its clock in our hands."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from flowforge_ui.collector.service import Parts, Service
from flowforge_ui.telemetry.wire import PingPlan

PLAN = PingPlan.load(Path(__file__).parents[2] / "flowforge_ui" / "plan" / "ping.yml")
ADDRESS = "203.0.113.77"


@dataclass
class Times:
    """A clock that stands still until it is moved."""

    now: datetime = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Knock:
    """Who the next request comes from."""

    address: str | None = ADDRESS


@dataclass
class House:
    """A started collector and what a test needs to look into it."""

    service: Service
    client: FlaskClient
    clock: Times
    knock: Knock
    home: Path
    instance: str = field(default_factory=lambda: str(uuid.uuid4()))

    def ping(self, **changes: object) -> dict[str, object]:
        """A good payload of ours; keyword arguments replace top-level parts."""
        return {
            "instanceId": self.instance,
            "os": {"type": "Linux", "release": "6.1.0-18", "arch": "x64"},
            "env": {"python": "3.12.4", "flowforge": "0.9.0"},
            "platform": {"counts": {"users": 6, "teams": 2, "projects": 4}, "config": {"driver": "localfs"}},
            **changes,
        }

    def envelope(self, seq: int, last: str | None = None, secret_hash: str = "a" * 64) -> dict[str, object]:
        found: dict[str, object] = {
            "plan": 1,
            "period": f"{self.clock.now:%Y-%m-%dT%H}-{uuid.uuid4().hex[:8]}",
            "seq": seq,
            "secretHash": secret_hash,
        }
        return found | ({"lastReceipt": last} if last else {})

    def fleet(self) -> dict[str, Any]:
        answer = self.client.get("/fleet.json", headers={"Authorization": f"Bearer {self.service.access_token}"})
        assert answer.status_code == 200
        return dict(answer.get_json())


def parts(home: Path, clock: Times, knock: Knock, *, url: str | None = None, public: bool = False) -> Parts:
    return Parts(
        plan=PLAN,
        home=home,
        database_url=url or f"sqlite:///{home}/collector.db",
        key_file=home / "collector.key",
        access_token=None,
        public=public,
        retention_days=90,
        dist=home / "dist",
        address_of=lambda _: knock.address,
        clock=clock,
    )
