"""``flowforge collector``: receive core pings, export what is held, forget what is over."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TextIO

import click

from flowforge_ui.cli.common import print_json, read_settings

if TYPE_CHECKING:
    from flowforge_ui.collector.demo import Filled
    from flowforge_ui.collector.service import Service
    from flowforge_ui.collector.store import PingStore
    from flowforge_ui.config import Settings


@click.group()
def collector() -> None:
    """The receiving side of the core ping."""


@collector.command()
@click.pass_context
def run(ctx: click.Context) -> None:
    """Serve the collector (collector.host, collector.port)."""
    from flowforge_ui.cli.serving import PortTaken, check_port, serve
    from flowforge_ui.collector.service import own_access_token
    from flowforge_ui.factory.collector import build_collector

    settings = read_settings(ctx)
    ours = settings.collector
    try:
        check_port(ours.host, ours.port)
    except PortTaken as error:
        raise click.ClickException(str(error).replace("`port:`", "`collector.port:`")) from None
    token_file = settings.home / "collector.access"
    if ours.access_token is None:
        own_access_token(token_file)
    click.echo(f"Collector: http://{ours.host}:{ours.port}/ (pings: POST /ping; fleet page: GET /)")
    click.echo(f"Access token: {'collector.access_token' if ours.access_token else token_file}")
    serve(partial(build_collector, settings), host=ours.host, port=ours.port, workers=1)


@collector.command()
@click.argument("file", type=click.File("w", encoding="utf-8"))
@click.option("--what", type=click.Choice(["pings", "installations", "roll-ups"]), default="pings", show_default=True)
@click.pass_context
def export(ctx: click.Context, file: TextIO, what: str) -> None:
    """Write what is held as one JSON object a line; FILE may be - for standard output."""
    import sqlalchemy as sa

    with _collector(read_settings(ctx)) as service:
        tables = service.store.tables
        table = {"pings": tables.raw, "installations": tables.installation, "roll-ups": tables.roll_up}[what]
        written = 0
        with service.store.reading() as tx:
            for row in tx.execution_options(yield_per=1000).execute(sa.select(table)).mappings():
                file.write(json.dumps({str(key): value for key, value in row.items()}, default=str) + "\n")
                written += 1
    click.echo(f"{written} rows", err=True)


@collector.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def prune(ctx: click.Context, as_json: bool) -> None:
    """Forget raw pings past collector.retention_days now, rather than within the hour."""
    with _collector(read_settings(ctx)) as service:
        gone = service.prune()
    _say({"removed": gone}, f"{gone} raw pings removed", as_json=as_json)


@collector.command()
@click.option("--remove", is_flag=True, help="Remove exactly the made-up fleet.")
@click.option("--yes", is_flag=True, help="Also when real installations are known.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same fleet.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def demo(ctx: click.Context, remove: bool, yes: bool, seed: int, as_json: bool) -> None:
    """Show the fleet page with a made-up fleet: 5000 installations, 120 days up to now.

    Works while the collector runs. Running it again replaces the fleet; `--remove` takes it away.
    """
    from flowforge_ui.collector import demo as made_up

    settings = read_settings(ctx)
    with _collector(settings) as service:
        before = made_up.held(service.store)
        if remove:
            made_up.remove(service.store)
            _say({"removed": before.made_up}, f"Removed {before.made_up} made-up installations.", as_json=as_json)
            return
        # A mounted collector knows the platform it is mounted in; that one is at home here.
        if before.real > settings.collector.mount and not yes:
            raise click.ClickException(
                f"{before.real} real installations are known; made-up ones would be counted with them. "
                "Say --yes if you want that; `flowforge collector demo --remove` removes exactly the made-up ones"
            )
        filled = _fill(service.store, seed, quiet=as_json or not sys.stderr.isatty())
    ours = settings.collector
    where = f"{settings.base_url}/collector/" if ours.mount else f"http://{ours.host}:{ours.port}/"
    facts = {"installations": filled.installations, "pings": filled.pings, "replaced": before.made_up, "look": where}
    _say(facts, f"{filled.installations} installations, {filled.pings} pings are in. {where}", as_json=as_json)


@contextmanager
def _collector(settings: Settings) -> Iterator[Service]:
    """The collector, its database prepared and closed again; what an operator can mend about it is said in a line."""
    from sqlalchemy.exc import SQLAlchemyError

    from flowforge_ui.collector.store import StoreTooNew
    from flowforge_ui.factory.collector import build_collector

    # Reasons come from the driver; a statement or a URL, which may hold a password, is in none of them.
    try:
        service = build_collector(settings)
        try:
            service.store.prepare()
            yield service
        finally:
            service.store.close()
    except StoreTooNew as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or type(error).__name__).strip().partition("\n")[0]
        raise click.ClickException(f"the database cannot be used (collector.database_url): {reason}") from None


def _fill(store: PingStore, seed: int, *, quiet: bool) -> Filled:
    from datetime import UTC, datetime

    from flowforge_ui.collector.demo import fill
    from flowforge_ui.collector.demo_fleet import DAYS, Fleet

    with click.progressbar(length=DAYS, label="120 days of a fleet", file=sys.stderr, hidden=quiet) as bar:
        return fill(store, Fleet(datetime.now(UTC), seed), lambda: bar.update(1))


def _say(facts: dict[str, object], line: str, *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        click.echo(line)
