"""``flowforge init``: administrator, options, done, as the browser's set-up does it, in one transaction."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from flowforge_ui.cli.common import database_errors, print_json, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flowforge_ui.config import Settings
    from flowforge_ui.factory import Runtime
    from flowforge_ui.telemetry.decision import Channel, Decision

LONGEST = 4096  # bytes of a password on standard input; the platform allows less and says so


@click.command()
@click.option("--admin", "username", required=True, metavar="NAME", help="The administrator's user name.")
@click.option("--password-stdin", is_flag=True, help="Read the administrator's password from standard input.")
@click.option("--no-telemetry", is_flag=True, help="Switch the core ping off.")
@click.option("--local-analytics", is_flag=True, help="Keep usage analytics on this server and show the dashboards.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def init(  # noqa: PLR0917 - click passes them by name
    ctx: click.Context, username: str, password_stdin: bool, no_telemetry: bool, local_analytics: bool, as_json: bool
) -> None:
    """Set the installation up without a browser: administrator and options, then it is ready to be used."""
    settings = read_settings(ctx)
    password = _password(from_stdin=password_stdin)
    with database_errors():
        decisions = _set_up(settings, username, password, telemetry=not no_telemetry, local_analytics=local_analytics)
    ping, local = decisions["ping"], decisions["local"]
    if as_json:
        shown = {"administrator": username.strip().lower(), "base_url": settings.base_url}
        print_json(shown | {"telemetry": ping.allowed, "local_analytics": local.allowed})
        return
    click.echo(f"Set up. {username.strip().lower()} can sign in at {settings.base_url} once the server runs.")
    fields = " `flowforge telemetry preview` shows what it says." if ping.allowed else ""
    click.echo(f"Core ping: {'on' if ping.allowed else 'off'}. {ping.explanation}{fields}")
    click.echo(f"Local analytics: {'on' if local.allowed else 'off'}. {local.explanation}")


def _password(*, from_stdin: bool) -> str:
    if not from_stdin:
        if not sys.stdin.isatty():
            raise click.UsageError("there is no terminal to ask for the password: say --password-stdin")
        answer: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return answer
    data = sys.stdin.buffer.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise click.ClickException("standard input is too long for a password")
    try:
        password = data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise click.ClickException("the password on standard input is not UTF-8") from None
    if not password:
        raise click.ClickException("there is no password on standard input")
    return password


@contextmanager
def _runtime(settings: Settings) -> Iterator[Runtime]:
    """Put together as the server is, so that acts are written down in the same way; not started."""
    from flowforge_ui.factory import build

    runtime = build(settings)
    try:
        yield runtime
    finally:
        runtime.stop()


def _set_up(
    settings: Settings, username: str, password: str, *, telemetry: bool, local_analytics: bool
) -> Mapping[Channel, Decision]:
    """All three steps or none of them; gives what is on afterwards."""
    from flowforge_ui.database import reading, transaction
    from flowforge_ui.platform import setup, users
    from flowforge_ui.platform.errors import PlatformError, SetupAdminExists, SetupFinished
    from flowforge_ui.platform.passwords import Passwords
    from flowforge_ui.telemetry import archive

    try:
        who = users.candidate(Passwords(), username=username, password=password)
        with _runtime(settings) as runtime:
            platform, channels = runtime.house.platform, runtime.house.channels
            with transaction(platform.engine) as tx:
                actor = setup.create_administrator(tx, platform.ledger, who).actor(platform.pseudonyms)
                now = channels.read(tx)
                wishes = now.wish("ping", telemetry), now.wish("local", local_analytics)
                setup.choose(tx, platform.ledger, actor, telemetry=wishes[0], local_analytics=wishes[1])
                ping, local = channels.read(tx).starting
                setup.finish(tx, platform.ledger, actor, telemetry=ping, local_analytics=local)
                archive.accept_plan(tx, runtime.house.sender().plan.version)
            with reading(platform.engine) as tx:
                return channels.read(tx).decisions
    except SetupFinished:
        raise click.ClickException("this installation is set up already; nothing was changed") from None
    except SetupAdminExists:
        raise click.ClickException(
            "an administrator exists already, and nothing was changed: "
            f"sign in as that account at {settings.base_url}/setup to finish the set-up"
        ) from None
    except PlatformError as error:
        wrong = "; ".join(f"{field}: {why}" for field, why in error.fields.items())
        raise click.ClickException(wrong or str(error)) from None
