"""What may go wrong with the analytics store, in words an operator can act on."""

from __future__ import annotations


class StoreError(Exception):
    """The analytics store cannot do what was asked.

    `code` names the kind of trouble (snake_case).
    """

    code = "store_failed"


class StoreInUse(StoreError):
    """Another process holds the file. `holder` is its process id when the engine names it."""

    code = "store_in_use"

    def __init__(self, path: str, holder: int | None) -> None:
        self.path = path
        self.holder = holder
        who = f"process {holder}" if holder else "another process"
        super().__init__(
            f"The analytics store {path} is held by {who}. A DuckDB file belongs to one process at a time: "
            "stop that process first (usually the running FlowForge server), "
            "or use ClickHouse, which serves many at once."
        )


class StoreDamaged(StoreError):
    """The file is no analytics store, or it is damaged. It was left exactly as it was found."""

    code = "store_damaged"

    def __init__(self, path: str, detail: str) -> None:
        self.path = path
        self.detail = detail
        super().__init__(
            f"The analytics store {path} cannot be read: {detail}. Nothing in it was changed. "
            "Restore it from a backup, or move it aside to start with an empty one."
        )


class StoreTooNew(StoreError):
    """A newer version of this program has written the store; it is not touched."""

    code = "store_too_new"

    def __init__(self, where: str, found: int, known: int) -> None:
        self.found = found
        super().__init__(
            f"The analytics store {where} was written by a newer version (layout {found}, this version knows {known}). "
            "It was not touched; run the newer version again."
        )


class StoreUnavailable(StoreError):
    """The store cannot be reached right now: no such directory, no permission, no connection, no space."""

    code = "store_unavailable"


class EventRefused(StoreError):
    """An event of the batch can never be kept as it is: its uuid is none, its time is beyond all calendars."""

    code = "event_refused"
