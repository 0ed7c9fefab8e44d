"""``flowforge collector``: receive core pings, export what is held, forget what is over."""

import json
from functools import partial
from typing import TextIO

import click

from flowforge_ui.cli.common import print_json, read_settings


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

    from flowforge_ui.factory.collector import build_collector

    service = build_collector(read_settings(ctx))
    tables = service.store.tables
    table = {"pings": tables.raw, "installations": tables.installation, "roll-ups": tables.roll_up}[what]
    service.store.prepare()
    written = 0
    with service.store.reading() as tx:
        for row in tx.execution_options(yield_per=1000).execute(sa.select(table)).mappings():
            file.write(json.dumps({str(key): value for key, value in row.items()}, default=str) + "\n")
            written += 1
    service.store.close()
    click.echo(f"{written} rows", err=True)


@collector.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def prune(ctx: click.Context, as_json: bool) -> None:
    """Forget raw pings past collector.retention_days now, rather than within the hour."""
    from flowforge_ui.factory.collector import build_collector

    service = build_collector(read_settings(ctx))
    service.store.prepare()
    gone = service.prune()
    service.store.close()
    if as_json:
        print_json({"removed": gone})
    else:
        click.echo(f"{gone} raw pings removed")
