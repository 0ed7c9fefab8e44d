"""What the settings name on this machine's disk: a folder has to be one, and no two of them may name one file."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from flowforge_ui.config.errors import ConfigError
from flowforge_ui.config.kinds import quoted
from flowforge_ui.config.rules import LOCAL, Facts

# Each of them is written by something else, which would not find there what it has written.
FILES = ("database.url", f"{LOCAL}.url", "collector.database_url", "collector.key_file")


def check(facts: Facts) -> Iterator[ConfigError]:
    """Looks, and makes nothing."""
    yield from _home(facts)
    yield from _one_file_each(facts)


def _home(facts: Facts) -> Iterator[ConfigError]:
    if "home" not in facts.given or "home" in facts.bad:
        return
    home = cast("Path", facts.values["home"])
    there = next(place for place in (home, *home.parents) if os.path.lexists(place))
    if not there.is_dir():
        where = "" if there == home else f" ({quoted(str(there))} is one)"
        why = f"a folder is needed, and this is a file{where}"
        yield facts.error("home", why, quoted(str(home)), "a folder, or none yet")


def _one_file_each(facts: Facts) -> Iterator[ConfigError]:
    first: dict[str, str] = {}
    for key in FILES:
        path = _path(str(facts.values[key]))
        if path is None or key in facts.bad:
            continue
        other = first.setdefault(path, key)
        if other != key:
            said, silent = (key, other) if key in facts.given else (other, key)
            yield facts.error(said, f"{silent} names the same file", quoted(path), "a file of its own")


def _path(value: str) -> str | None:
    """The file a database's URL or a path names; None when it is on a server."""
    scheme, separator, rest = value.partition(":///")
    if separator and scheme in {"sqlite", "duckdb"}:
        return os.path.realpath(rest)
    return None if "://" in value else os.path.realpath(value)
