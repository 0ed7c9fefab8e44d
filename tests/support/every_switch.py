"""Sends a core ping under every combination of switches: `python -m tests.support.every_switch HOME URL`.

One process over a real database; before each combination it tries to open a file named after it, so that whoever
traces the process can tell them apart. Writes a line each: the combination's number and what became of the ping.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import sqlalchemy as sa

from flowforge_ui.config import load
from flowforge_ui.database import transaction
from flowforge_ui.factory import build
from flowforge_ui.factory.ping import build_sender
from flowforge_ui.platform import tables
from flowforge_ui.web.channels import Channels

ENVIRONMENTS: list[dict[str, str]] = [
    {},
    {"DO_NOT_TRACK": "0", "FLOWFORGE_TELEMETRY_DISABLED": ""},
    {"DO_NOT_TRACK": "1"},
    {"FLOWFORGE_TELEMETRY_DISABLED": "yes"},
    {"FLOWFORGE_TELEMETRY__ENABLED": "false"},
]
FILES: list[bool | None] = [None, True, False]
CHOSEN: list[str | None] = [None, "true", "false", "perhaps"]


@dataclass(frozen=True)
class Switches:
    """One combination; ``chosen`` is what Admin Settings hold."""

    environ: dict[str, str]
    file: bool | None
    set_up: bool
    chosen: str | None


EVERY = [Switches(*each) for each in product(ENVIRONMENTS, FILES, [True, False], CHOSEN)]


def marker(number: int) -> str:
    return f"/combination-{number}-of-{len(EVERY)}"


def main(home: Path, url: str) -> None:
    platform = build(load(_file(home, url, None), {}, cwd=home)).house.platform
    for number, switches in enumerate(EVERY):
        settings = load(_file(home, url, switches.file), switches.environ, cwd=home)
        with transaction(platform.engine) as tx:
            done = platform.clock() if switches.set_up else None
            tx.execute(sa.update(tables.installation).values(setup_finished_at=done))
            tx.execute(sa.delete(tables.settings))
            if switches.chosen is not None:
                row = {"key": "telemetry:enabled", "value": switches.chosen, "updated_at": platform.clock()}
                tx.execute(sa.insert(tables.settings).values(row))
        sender = build_sender(settings, platform, Channels(settings, platform.engine))
        with contextlib.suppress(FileNotFoundError):
            os.close(os.open(marker(number), os.O_RDONLY))
        sys.stdout.write(f"{number} {sender.send(even_if_recent=True).outcome}\n")
    platform.engine.dispose()


def _file(home: Path, url: str, enabled: bool | None) -> Path:
    telemetry: dict[str, object] = {"url": url} if enabled is None else {"url": url, "enabled": enabled}
    path = home / "flowforge.yml"
    path.write_text(json.dumps({"home": str(home / "var"), "telemetry": telemetry}), "utf-8")
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
