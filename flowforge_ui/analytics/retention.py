"""Forgetting: nothing is kept longer than the operator says."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from flowforge_ui.analytics.store import Store


def prune(store: Store, retention_days: int, now: datetime) -> int:
    """Forget whole days (UTC) that lie more than `retention_days` back; answer how many events that were."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return store.prune(today - timedelta(days=retention_days))
