"""``flowforge analytics``: the installation's own events into a file, and forgetting old ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowforge_ui.cli.common import print_json, read_settings

if TYPE_CHECKING:
    from datetime import date

    from flowforge_ui.analytics.export import Format
    from flowforge_ui.analytics.store import Store
    from flowforge_ui.config import Settings

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def analytics() -> None:
    """Export and prune this installation's own analytics."""


@analytics.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), help="By default what FILE's name ends with.")
@click.option("--from", "first", type=_DAY, metavar="YYYY-MM-DD", help="The first day (UTC); by default the oldest.")
@click.option("--to", "last", type=_DAY, metavar="YYYY-MM-DD", help="The last day (UTC); by default today.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def export(  # noqa: PLR0917  click passes them by name
    ctx: click.Context, file: Path, form: Format | None, first: datetime | None, last: datetime | None, as_json: bool
) -> None:
    """Write every event of the days to FILE, as CSV or Parquet.

    FILE appears when it is complete, readable by you alone. With DuckDB the server has to be stopped meanwhile.
    """
    from flowforge_ui.analytics.export import days_held, export

    chosen = form or _format_of(file)
    if file.exists():
        raise click.ClickException(f"{file} is there already; nothing was written")
    begin, end = _days(first, last)
    hidden = as_json or not sys.stderr.isatty()
    with opened(read_settings(ctx)) as store:
        days = days_held(store, begin, end)
        length = sum(count for _, count in days)
        with click.progressbar(length=length, label="Exporting", file=sys.stderr, hidden=hidden) as bar:
            total = export(store, days, file, chosen, bar.update)
    if as_json:
        print_json({"file": str(file), "format": chosen, "events": total, "days": len(days)})
    else:
        click.echo(f"{file}: {total} events of {len(days)} days")


@analytics.command()
@click.option("--older-than", type=click.IntRange(min=0), metavar="DAYS", help="Instead of the configured retention.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def prune(ctx: click.Context, older_than: int | None, as_json: bool) -> None:
    """Forget events older than telemetry.frontend.local.retention_days.

    The running server does this by itself every day. With DuckDB the server has to be stopped for this command.
    """
    from flowforge_ui.analytics.retention import prune as forget

    settings = read_settings(ctx)
    days = settings.telemetry.frontend.local.retention_days if older_than is None else older_than
    with opened(settings) as store:
        count = forget(store, days, datetime.now(UTC))
    if as_json:
        print_json({"forgotten": count, "older_than_days": days})
    else:
        click.echo(f"Forgot {count} events older than {days} days")


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """The store of these settings; what is wrong with it ends the command with a line."""
    from flowforge_ui.analytics.errors import StoreError
    from flowforge_ui.analytics.store import open_store

    url = settings.telemetry.frontend.local.url
    if url.startswith("duckdb:///") and not Path(url.removeprefix("duckdb:///")).exists():
        raise click.ClickException("there are no local analytics yet (telemetry.frontend.local)")
    try:
        with closing(open_store(url)) as store:
            yield store
    except StoreError as error:
        raise click.ClickException(str(error)) from None


def _format_of(file: Path) -> Format:
    if file.suffix == ".csv":
        return "csv"
    if file.suffix == ".parquet":
        return "parquet"
    raise click.UsageError(f"{file.name} ends with neither .csv nor .parquet; say --format")


def _days(first: datetime | None, last: datetime | None) -> tuple[date, date]:
    begin = first.date() if first else datetime(1970, 1, 1, tzinfo=UTC).date()
    end = last.date() if last else (datetime.now(UTC) + timedelta(days=1)).date()
    if end < begin:
        raise click.UsageError("--to lies before --from")
    return begin, end
