"""The settings as they are shown: every key, secrets masked, with the layer each came from."""

from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from flowforge_ui.config.table import KEYS, Settings, Spec

MASK = "********"


@dataclass(frozen=True)
class Row:
    """One line of ``config show``; ``value`` is JSON-ready and holds no secret."""

    key: str
    value: str | int | bool | list[str] | None
    layer: str
    where: str


def rows(settings: Settings) -> list[Row]:
    """Every key of the table, in its order."""
    return [
        Row(key, _display(spec, _at(settings, key)), settings.origin(key).layer, settings.origin(key).where)
        for key, spec in KEYS.items()
    ]


def _at(settings: Settings, key: str) -> object:
    return reduce(getattr, key.split("."), settings)


def _display(spec: Spec, value: object) -> str | int | bool | list[str] | None:
    if value is None or (not spec.secret and isinstance(value, bool | int)):
        return value
    if spec.secret:
        return MASK
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return spec.kind.display(value.as_posix() if isinstance(value, Path) else str(value))
