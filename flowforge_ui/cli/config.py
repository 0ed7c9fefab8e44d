"""``flowforge config``: is it right, and where does each value come from?"""

import json
import os
from pathlib import Path

import click

from flowforge_ui.cli.common import print_json, settings_path
from flowforge_ui.config import ConfigErrors, Row, load, rows


@click.group()
def config() -> None:
    """Check and show the settings."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Say whether the settings are right; everything that is wrong, a line each."""
    path = settings_path(ctx)
    try:
        settings = load(path, os.environ, cwd=Path.cwd())
    except ConfigErrors as errors:
        if not as_json:
            raise
        facts = ("file", "line", "key", "found", "allowed", "nearest")
        listed = [{fact: getattr(one, fact) for fact in facts} | {"message": str(one)} for one in errors.errors]
        print_json({"ok": False, "errors": listed, "warnings": []})
        ctx.exit(1)
    if as_json:
        print_json({"ok": True, "errors": [], "warnings": list(settings.warnings)})
        return
    for warning in settings.warnings:
        click.echo(f"Warning: {warning}", err=True)
    click.echo(f"ok: {path}" if path else "ok: there is no settings file, the built-in defaults hold")


@config.command()
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def show(ctx: click.Context, as_json: bool) -> None:
    """Show every key, its value (secrets masked), the layer it came from, and where."""
    settings = load(settings_path(ctx), os.environ, cwd=Path.cwd())
    listed = rows(settings)
    if as_json:
        print_json(
            {
                "file": str(settings.file) if settings.file else None,
                "settings": [{"key": r.key, "value": r.value, "layer": r.layer, "where": r.where} for r in listed],
                "warnings": list(settings.warnings),
            }
        )
        return
    wide = max(len(row.key) for row in listed), max(len(_text(row)) for row in listed if len(_text(row)) <= 48)
    for row in listed:
        click.echo(f"{row.key:<{wide[0]}}  {_text(row):<{wide[1]}}  {row.layer} ({row.where})")
    for warning in settings.warnings:
        click.echo(f"Warning: {warning}", err=True)


def _text(row: Row) -> str:
    return row.value if isinstance(row.value, str) else json.dumps(row.value)
