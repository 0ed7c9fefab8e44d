"""``flowforge run``: migrate, say where to go, serve."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from flowforge_ui import __version__
from flowforge_ui.cli.common import database_errors, read_settings

if TYPE_CHECKING:
    from flowforge_ui.cli.serving import Served
    from flowforge_ui.config import Settings


@click.command()
@click.pass_context
def run(ctx: click.Context) -> None:
    """Serve the product until Ctrl-C."""
    settings = read_settings(ctx)
    configure_logging()
    from flowforge_ui.cli.serving import PortTaken, check_port, serve

    try:
        check_port(settings.host, settings.port)
    except PortTaken as taken:
        raise click.ClickException(str(taken)) from None
    with database_errors():
        finished = _prepare(settings)
    where = settings.base_url if finished else f"{settings.base_url}/setup to set it up"
    click.echo(f"FlowForge {__version__}: open {where}. Ctrl-C ends it.")
    serve(partial(_build, settings), host=settings.host, port=settings.port, workers=settings.workers)


def configure_logging() -> None:
    """One line an entry on standard error. Nothing logs addresses, query strings or tokens."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for chatty in ("alembic", "urllib3", "posthog", "sqlalchemy"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _prepare(settings: Settings) -> bool:
    """Migrate before any worker starts, so that what is wrong is said once; gives whether set-up is finished."""
    from flowforge_ui.database import reading
    from flowforge_ui.factory import open_database
    from flowforge_ui.platform import setup
    from flowforge_ui.platform.installation import ensure
    from flowforge_ui.telemetry.event import utc_now
    from flowforge_ui.web.files import bundle

    if not (bundle() / "manifest.json").exists():
        click.echo("Warning: the front end has not been built; run `make build`.", err=True)
    engine = open_database(settings)
    try:
        ensure(engine, utc_now)
        with reading(engine) as tx:
            return setup.state(tx).finished
    finally:
        engine.dispose()


def _build(settings: Settings) -> Served:
    from flowforge_ui.factory import build

    return build(settings)
