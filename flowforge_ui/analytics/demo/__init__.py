"""A month of made-up use, for a look at dashboards that have something to show. Seeded, pure, marked as such."""

from flowforge_ui.analytics.demo.month import Month, month

__all__ = ["Month", "month"]
