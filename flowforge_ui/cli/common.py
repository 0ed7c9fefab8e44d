"""What the commands share: the settings of this invocation, and output for scripts."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from flowforge_ui.config import Settings, find, load


def settings_path(ctx: click.Context) -> Path | None:
    """The settings file of this invocation, None when there is none."""
    option = ctx.find_root().obj
    return find(option if isinstance(option, str) else None, os.environ, cwd=Path.cwd())


def read_settings(ctx: click.Context) -> Settings:
    """The settings, their warnings on standard error; what is wrong with them ends the command with a line each."""
    settings = load(settings_path(ctx), os.environ, cwd=Path.cwd())
    for warning in settings.warnings:
        click.echo(f"Warning: {warning}", err=True)
    return settings


def print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


@contextmanager
def database_errors() -> Iterator[None]:
    """Says in a line what an operator can mend about the database; never its URL, which may hold a password."""
    from sqlalchemy.exc import OperationalError

    from flowforge_ui.database import DatabaseTooNew, DatabaseUnreadable

    try:
        yield
    except (DatabaseTooNew, DatabaseUnreadable) as error:
        raise click.ClickException(str(error)) from None
    except OperationalError as error:
        first = str(error.orig).strip().partition("\n")[0]
        raise click.ClickException(f"the database cannot be used (database.url): {first}") from None
