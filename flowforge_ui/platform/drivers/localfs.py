"""Flows files below `{home}/projects/<id>/flows.json`."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

_ID = re.compile(r"[a-z0-9]{1,32}")


class LocalFs:
    """Files are replaced atomically and synced, readable for the server's own user alone."""

    name = "localfs"

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, project_id: str) -> bytes | None:
        try:
            return (self._folder(project_id) / "flows.json").read_bytes()
        except FileNotFoundError:
            return None

    def write(self, project_id: str, data: bytes) -> None:
        folder = self._folder(project_id)
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        for left_over in folder.glob(".flows-*"):
            left_over.unlink(missing_ok=True)
        handle, name = tempfile.mkstemp(prefix=".flows-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(folder / "flows.json")
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        for directory in (folder, folder.parent):
            _sync(directory)

    def remove(self, project_id: str) -> None:
        shutil.rmtree(self._folder(project_id), ignore_errors=True)

    def _folder(self, project_id: str) -> Path:
        if not _ID.fullmatch(project_id):
            raise ValueError("not the id of a project")
        return self._root / project_id


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
