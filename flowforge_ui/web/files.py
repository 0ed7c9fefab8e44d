"""Where the files of the web room are: beside the source in a clone, inside the package in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def _find(packaged: str, cloned: str) -> Path:
    inside = _PACKAGE / "_web" / packaged
    return inside if inside.is_dir() else _PACKAGE.parent / cloned


def templates() -> Path:
    return _find("templates", "templates")


def bundle() -> Path:
    """The built front end; the folder does not exist before ``make build``."""
    return _find("dist", "static/dist")
