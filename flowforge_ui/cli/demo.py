"""``flowforge demo``: a month of made-up use for the dashboards, marked as such, removable with one command.

While the server runs it holds the DuckDB file; the events then go through the spool in its home.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import click

from flowforge_ui.cli.common import database_errors, print_json, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flowforge_ui.analytics.demo import Month
    from flowforge_ui.analytics.spool import Spool
    from flowforge_ui.analytics.store import Store
    from flowforge_ui.config import Settings
    from flowforge_ui.telemetry.event import Event

_IN_USE = 1000  # real events; setting up and looking around leave fewer, daily use soon more
_PATIENCE = 20.0  # seconds without any progress of the server's
_LOOK = 0.1
_AHEAD = 4  # files in the spool at once


class Target(Protocol):
    """Where the events go: the store itself, or the server that holds it."""

    def held(self) -> dict[str, int]: ...

    def put(self, events: list[Event]) -> None: ...

    def remove(self) -> None: ...

    def finish(self) -> None: ...


@click.command()
@click.option("--remove", is_flag=True, help="Remove exactly the demonstration data.")
@click.option("--yes", is_flag=True, help="Also when the installation is in real use.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same month.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def demo(ctx: click.Context, remove: bool, yes: bool, seed: int, as_json: bool) -> None:
    """Fill the installation with a realistic month of use: 40 teams, 1500 people, 30 days up to now.

    Works while the server runs. Running it again replaces the month; `flowforge demo --remove` removes it.
    """
    settings = read_settings(ctx)
    _ready(settings)
    quiet = as_json or not sys.stderr.isatty()
    with _target(settings) as target:
        held = target.held()
        if remove:
            target.remove()
            target.finish()
            _say({"removed": held["demo"]}, f"Removed {held['demo']} demonstration events.", as_json=as_json)
            return
        if held["real"] >= _IN_USE and not yes:
            raise click.ClickException(
                f"{held['real']} real events are in the store: demonstration data would change what the dashboards say "
                "of them. Say --yes if you want that; `flowforge demo --remove` removes exactly it again"
            )
        if held["demo"]:
            target.remove()
        count = _fill(target, seed, quiet=quiet)
    where = f"{settings.base_url}/insights"
    _say({"added": count, "replaced": held["demo"], "look": where}, f"{count} events are in. {where}", as_json=as_json)


def _say(facts: dict[str, object], line: str, *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        click.echo(line)


def _fill(target: Target, seed: int, *, quiet: bool) -> int:
    from flowforge_ui.analytics.dashboards import patterns, titles
    from flowforge_ui.analytics.demo import Month, month
    from flowforge_ui.analytics.demo.session import Page

    plan: Month = Month(now=datetime.now(UTC), seed=seed)
    pages = {name: Page(title, patterns()[name]) for name, title in titles().items()}
    count = 0
    with click.progressbar(length=plan.days, label="A month of use", file=sys.stderr, hidden=quiet) as bar:
        for events in month(plan, pages):
            target.put(events)
            count += len(events)
            bar.update(1)
        target.finish()
    return count


def _ready(settings: Settings) -> None:
    """Ends the command unless set-up is finished and local analytics are on."""
    from flowforge_ui.database import is_migrated, open_engine, reading
    from flowforge_ui.platform import settings as chosen
    from flowforge_ui.platform import setup
    from flowforge_ui.telemetry.decision import Facts, Stated, decide

    unfinished = "finish the set-up first: `flowforge run` and a browser, or `flowforge init`"
    if settings.database.url.startswith("sqlite") and not _file_of(settings.database.url).exists():
        raise click.ClickException(unfinished)
    with database_errors():
        engine = open_engine(settings.database.url)
        try:
            if not is_migrated(engine):
                raise click.ClickException(unfinished)
            with reading(engine) as tx:
                finished = setup.state(tx).finished
                admin_local = chosen.read(tx).local_analytics
        finally:
            engine.dispose()
    if not finished:
        raise click.ClickException(unfinished)
    origin = settings.origin("telemetry.frontend.local.enabled")
    layer = "file" if origin.layer == "secret_file" else origin.layer
    stated = Stated(settings.telemetry.frontend.local.enabled, layer, origin.where)
    decision = decide("local", Facts(setup_finished=True, local=stated, admin_local=admin_local))
    if not decision.allowed:
        raise click.ClickException(
            f"local analytics are off. {decision.explanation} Switch them on under Admin > Settings, "
            "or with telemetry.frontend.local.enabled: true in flowforge.yml"
        )


def _file_of(url: str) -> Path:
    from pathlib import Path

    return Path(url.removeprefix("sqlite:///"))


@contextmanager
def _target(settings: Settings) -> Iterator[Target]:
    from flowforge_ui.analytics.errors import StoreError, StoreInUse
    from flowforge_ui.analytics.spool import DIRECTORY, Spool
    from flowforge_ui.analytics.store import open_store

    try:
        store = open_store(settings.telemetry.frontend.local.url)
    except StoreInUse as error:
        yield Server(Spool(settings.home / DIRECTORY), str(error))
        return
    except StoreError as error:
        raise click.ClickException(str(error)) from None
    with closing(store):
        try:
            yield Direct(store)
        except StoreError as error:
            raise click.ClickException(str(error)) from None


@dataclass
class Direct:
    """The store itself: nobody else holds it."""

    store: Store

    def held(self) -> dict[str, int]:
        from flowforge_ui.analytics.spool import held

        return held(self.store)

    def put(self, events: list[Event]) -> None:
        self.store.append(events)

    def remove(self) -> None:
        self.store.remove_demo()

    def finish(self) -> None:
        """Everything is in already."""


class Server:
    """The server that holds the store, through the spool; waits for it, and says so when it does not answer."""

    def __init__(self, spool: Spool, held_by: str) -> None:
        self._spool = spool
        self._held_by = held_by
        self._waiting: list[Path] = []

    def held(self) -> dict[str, int]:
        if not self._spool.directory.is_dir():
            raise click.ClickException(f"no server takes events from {self._spool.directory}. {self._held_by}")
        request = self._spool.ask()
        self._waiting.append(request)
        self._wait(0)
        answer = request.with_suffix(".answer")
        try:
            found: dict[str, int] = json.loads(answer.read_text(encoding="utf-8"))
        finally:
            answer.unlink(missing_ok=True)
        return found

    def put(self, events: list[Event]) -> None:
        self._waiting.append(self._spool.put(events))
        self._wait(_AHEAD)

    def remove(self) -> None:
        self._waiting.append(self._spool.remove())
        self._wait(0)

    def finish(self) -> None:
        self._wait(0)

    def _wait(self, left: int) -> None:
        """Until the server has taken all requests but so many; on giving up, what it has not taken is withdrawn."""
        try:
            self._watch(left)
        except BaseException:
            for path in self._waiting:
                path.unlink(missing_ok=True)
            raise
        if rejected := [*self._spool.directory.glob("*.rejected")]:
            raise click.ClickException(f"the server could not read {rejected[0]}; its log says why")

    def _watch(self, left: int) -> None:
        quiet_since = time.monotonic()
        while len(self._waiting) > left:
            rest = [path for path in self._waiting if path.exists()]
            if len(rest) < len(self._waiting):
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > _PATIENCE:
                raise click.ClickException(
                    f"nobody has taken anything from {self._spool.directory} for {_PATIENCE:.0f} seconds. "
                    f"{self._held_by}"
                )
            self._waiting = rest
            time.sleep(_LOOK)
