"""Where flows files are kept. `driver.type` of the settings names the module."""

from __future__ import annotations

from typing import Protocol


class Driver(Protocol):
    """Keeps one flows file a project. `name` is what the core ping reports as `platform.config.driver`."""

    name: str

    def read(self, project_id: str) -> bytes | None:
        """The bytes last written; None when there are none."""

    def write(self, project_id: str, data: bytes) -> None:
        """Replace the file as a whole; on return it is on disk. Raises OSError, and then the old one is still there."""

    def remove(self, project_id: str) -> None:
        """Forget the project's file, if there is one."""
