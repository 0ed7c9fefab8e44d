"""Why an event is not recorded, or a request refused: two closed sets, each reason with one plain sentence."""

from __future__ import annotations

from typing import Literal

DropReason = Literal[
    "malformed",
    "unknown_event",
    "wrong_side",
    "too_old",
    "identity_unproven",
    "opted_out",
    "gpc",
    "dnt",
    "no_channel",
    "duplicate",
]

RefusedReason = Literal[
    "too_large",
    "too_many_events",
    "bad_encoding",
    "bad_json",
    "bad_shape",
    "no_token",
    "unknown_token",
    "personal_key",
    "overloaded",
    "unavailable",
]

DROPS: dict[DropReason, str] = {
    "malformed": "It is no event: no name, or properties that are no table.",
    "unknown_event": "The plan has no event of that name.",
    "wrong_side": "The plan has it, but only the other side (browser, server) may record it.",
    "too_old": "It happened more than 6 days ago.",
    "identity_unproven": "It speaks for a user without a valid ticket of that user's session.",
    "opted_out": "The user has opted out.",
    "gpc": "The browser sends Global Privacy Control.",
    "dnt": "The browser sends Do Not Track.",
    "no_channel": "Nothing is switched on that would keep it.",
    "duplicate": "It is recorded already; it was sent again.",
}

REFUSALS: dict[RefusedReason, tuple[int, str]] = {
    "too_large": (413, "The body is too large."),
    "too_many_events": (413, "Too many events in one request."),
    "bad_encoding": (400, "The body cannot be decoded."),
    "bad_json": (400, "The body is not JSON."),
    "bad_shape": (400, "The body is neither an event, nor an array, nor a batch."),
    "no_token": (401, "The request names no project key."),
    "unknown_token": (401, "The project key is not the one of this platform."),
    "personal_key": (401, "This is a personal API key (phx_). Use the project key, and keep the personal one secret."),
    "overloaded": (503, "Too many events are waiting to be written."),
    "unavailable": (503, "The database cannot be reached."),
}
"""HTTP status and sentence."""
