"""``flowforge telemetry``: what the core ping does, shown, tried and proved at the terminal."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowforge_ui.cli.common import database_errors, print_json, read_settings

if TYPE_CHECKING:
    from flowforge_ui.factory import Runtime
    from flowforge_ui.telemetry.archive import Archived
    from flowforge_ui.telemetry.ping import Sender

as_json_option = click.option("--json", "as_json", is_flag=True, help="For scripts.")


@click.group()
def telemetry() -> None:
    """The core ping: what it is allowed, what it would send, what it has sent."""


@telemetry.command()
@as_json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Each channel: on or off, and which layer decided."""
    with _house(ctx) as (runtime, _):
        from flowforge_ui.database import reading

        with reading(runtime.house.platform.engine) as tx:
            decisions = runtime.house.channels.read(tx).decisions
    if as_json:
        print_json(
            {
                name: {
                    "allowed": each.allowed,
                    "reason": each.reason,
                    "decided_by": each.decided_by,
                    "layers": [{"layer": one.layer, "value": one.value, "decides": one.decides} for one in each.layers],
                }
                for name, each in decisions.items()
            }
        )
        return
    for name, each in decisions.items():
        click.echo(f"{name:10} {'on ' if each.allowed else 'off'}  {each.explanation}")


@telemetry.command()
@as_json_option
@click.pass_context
def preview(ctx: click.Context, as_json: bool) -> None:
    """Exactly what the next ping would send, made by the code that sends."""
    with _house(ctx) as (_, sender):
        found = sender.preview()
        allowed = sender.decide()
    if as_json:
        click.echo(found.body.decode())
        return
    click.echo(json.dumps(json.loads(found.body), indent=2, ensure_ascii=False))
    click.echo(
        f"\n{len(found.body)} bytes to {sender.url}. The ping is {'on' if allowed.allowed else 'off'}.", err=True
    )
    for path in found.built.left_out:
        click.echo(f"Left out, its value does not fit its type: {path}", err=True)
    for path in found.waiting:
        click.echo(f"Waits until an administrator has seen it: {path}", err=True)


@telemetry.command()
@as_json_option
@click.pass_context
def send(ctx: click.Context, as_json: bool) -> None:
    """Send a ping now, if the ping is on."""
    with _house(ctx) as (_, patient):
        # One try: somebody sits before the terminal, and a collector may ask for minutes of patience.
        sender = replace(patient, pause=lambda _: True)
        result = sender.send(even_if_recent=True)
        explanation = sender.decide().explanation
    if as_json:
        print_json({"outcome": result.outcome, "seq": result.seq, "error": result.error})
    elif result.outcome == "sent":
        click.echo(f"Sent, as number {result.seq}. `flowforge telemetry history` shows its bytes and its receipt.")
    if result.outcome == "off":
        raise click.ClickException(f"nothing was sent: the ping is off. {explanation}")
    if result.outcome == "failed":
        raise click.ClickException(
            f"the ping could not be delivered: {result.error}. It is kept as number {result.seq}."
        )


@telemetry.command()
@as_json_option
@click.option("--bytes", "seq", type=int, metavar="NUMBER", help="The exact bytes of one ping.")
@click.pass_context
def history(ctx: click.Context, as_json: bool, seq: int | None) -> None:
    """The last 30 pings: when, what, and what the collector said."""
    from flowforge_ui.telemetry import archive

    with _house(ctx) as (_, sender), sender.transaction() as tx:
        found = archive.history(tx)
    if seq is not None:
        one = next((each for each in found if each.seq == seq), None)
        if one is None:
            raise click.ClickException(f"no ping has the number {seq}; `flowforge telemetry history` lists them")
        sys.stdout.buffer.write(one.body)
    elif as_json:
        print_json([_row(each) for each in found])
    elif not found:
        click.echo("No ping has been made yet.")
    else:
        for each in found:
            outcome = each.error or each.outcome
            click.echo(
                f"{each.seq:>6}  {_moment(each.made_at)}  {len(each.body):>5} bytes  {outcome}  {each.receipt or ''}"
            )


@telemetry.command()
@as_json_option
@click.pass_context
def selftest(ctx: click.Context, as_json: bool) -> None:
    """Prove on this machine that off is off: run the sender with the network denied, report every attempt."""
    with _house(ctx) as (_, sender):
        from flowforge_ui.telemetry.selftest import prove

        proof = prove(sender)
    if as_json:
        print_json({"holds": proof.holds, "off": list(proof.off), "on": list(proof.on)})
    else:
        click.echo(f"Switched off: {len(proof.off)} attempts to reach the network.")
        for attempt in proof.off:
            click.echo(f"  {attempt}")
        click.echo(f"Switched on (denied, so that an attempt would be seen): {len(proof.on)} attempts.")
        click.echo("Off is off." if proof.holds else "The promise does not hold here.")
    if not proof.holds:
        ctx.exit(1)


@telemetry.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def bundle(ctx: click.Context, file: Path) -> None:
    """Write the pings no collector has acknowledged into FILE, to be uploaded from elsewhere (POST /bundle)."""
    from flowforge_ui.telemetry import archive

    with _house(ctx) as (_, sender):
        decision = sender.decide()
        if not decision.allowed:
            raise click.ClickException(f"nothing was written: the ping is off. {decision.explanation}")
        with sender.transaction() as tx:
            found = archive.unsent(tx)
    if not found:
        raise click.ClickException("every ping has been acknowledged; there is nothing to carry")
    try:
        # For its owner only, as the database it comes from; and nobody's file is overwritten.
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{file} exists already; name a file that does not") from None
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "wb") as written:
        written.writelines(each.body + b"\n" for each in found)
    click.echo(f"{len(found)} pings in {file}, one a line, as they would have been sent: read it before you carry it.")


@contextmanager
def _house(ctx: click.Context) -> Iterator[tuple[Runtime, Sender]]:
    from flowforge_ui.factory import build
    from flowforge_ui.factory.ping import build_sender

    settings = read_settings(ctx)
    with database_errors():
        runtime = build(settings)
        try:
            yield runtime, build_sender(settings, runtime.house.platform, runtime.house.channels)
        finally:
            runtime.stop()


def _row(each: Archived) -> dict[str, object]:
    return {
        "seq": each.seq,
        "period": each.period,
        "made_at": _moment(each.made_at),
        "url": each.url,
        "body": each.body.decode(),
        "sha256": each.sha256,
        "outcome": each.outcome,
        "attempts": each.attempts,
        "status": each.status,
        "answer": base64.b64encode(each.answer).decode() if each.answer is not None else None,
        "receipt": each.receipt,
        "error": each.error,
    }


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
