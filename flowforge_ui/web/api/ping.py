"""The core ping's console: what is sent and why, what was sent, consent to new fields, show and erase."""

from __future__ import annotations

import shlex
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flask import Response

from flowforge_ui.telemetry import archive
from flowforge_ui.web.errors import WebError

from . import ping_shapes as shapes
from .shapes import Layer
from .table import Guard, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from flowforge_ui.telemetry.archive import Archived
    from flowforge_ui.telemetry.decision import Decision
    from flowforge_ui.telemetry.ping import Sender
    from flowforge_ui.telemetry.wire import Field

    from .call import Call

ENDPOINTS = Table("/api/v1/admin/telemetry/ping")
on = ENDPOINTS.on

UNDER_WAY = timedelta(seconds=15)
"""A little longer than one try may take: a ping that waits longer is one whose process has ended, or pauses."""

_sending = threading.Lock()


@on("GET", "", Guard.ADMIN, "The core ping: decision, plan, preview, history", answer=shapes.Ping)
def show(call: Call[None]) -> shapes.Ping:
    sender = call.house.sender()
    decision = sender.decide()
    preview = sender.preview()
    with call.reading() as tx:
        accepted = archive.accepted_plan(tx, sender.plan.version)
        history = archive.history(tx)
    return shapes.Ping(
        decision=_decided(decision),
        url=sender.url,
        plan=_plan(sender, accepted),
        preview=shapes.Preview(
            body=preview.body.decode(), bytes=len(preview.body), left_out=list(preview.built.left_out)
        ),
        next_due=call.house.next_ping() if decision.allowed else None,
        history=[_row(each) for each in history],
    )


@on("GET", "/history/<seq>", Guard.ADMIN, "One ping: its exact text and what was answered", answer=shapes.Sent)
def show_sent(call: Call[None], seq: str) -> shapes.Sent:
    with call.reading() as tx:
        found = _archived(tx, seq)
    return shapes.Sent(
        **_row(found).model_dump(),
        url=found.url,
        sha256=found.sha256,
        finished_at=_moment(found.finished_at),
        body=found.body.decode(),
        answer=None if found.answer is None else found.answer.decode(errors="replace"),
    )


@on("GET", "/history/<seq>/body", Guard.ADMIN, "The exact bytes of one ping", status=200)
def download(call: Call[None], seq: str) -> Response:
    with call.reading() as tx:
        found = _archived(tx, seq)
    headers = {"Content-Disposition": f'attachment; filename="ping-{found.seq}.json"'}
    return Response(found.body, mimetype="application/json", headers=headers)


@on("POST", "/send", Guard.ADMIN, "Send a ping now: one try, at most ten seconds", answer=shapes.Row,
    errors=("ping_off", "ping_under_way"))  # fmt: skip
def send(call: Call[None]) -> shapes.Row:
    # It asks once and does not wait for another try: somebody sits before it, and a thread of the server with them.
    sender = replace(call.house.sender(), pause=lambda _: True)
    if not _sending.acquire(blocking=False):
        raise WebError("ping_under_way")
    try:
        with call.reading() as tx:
            _refuse_second(tx, call.now)
        result = sender.send(even_if_recent=True)
    finally:
        _sending.release()
    if result.seq is None:
        raise WebError("ping_off", f"The core ping is off. {sender.decide().explanation}")
    with call.writing() as tx:
        call.ledger.note(tx, call.actor, "ping sent", target=f"number {result.seq}")
        return _row(_archived(tx, str(result.seq)))


@on("POST", "/accept", Guard.ADMIN, "Consent to the fields of the present plan version", body=shapes.Accept,
    answer=shapes.Plan, errors=("plan_changed",))  # fmt: skip
def accept(call: Call[shapes.Accept]) -> shapes.Plan:
    sender = call.house.sender()
    version = sender.plan.version
    if call.body.version != version:
        raise WebError("plan_changed")
    with call.writing() as tx:
        accepted = archive.accepted_plan(tx, version)
        if accepted < version:
            archive.accept_plan(tx, version)
            call.ledger.note(tx, call.actor, "ping plan accepted", target=f"version {version}")
    return _plan(sender, max(accepted, version))


@on("POST", "/reveal", Guard.ADMIN, "The secret that shows and erases what the collector holds",
    answer=shapes.Revealed)  # fmt: skip
def reveal(call: Call[None]) -> shapes.Revealed:
    sender = call.house.sender()
    instance_id = call.platform.installation.instance_id
    with call.writing() as tx:
        secret = archive.secret(tx, sender.plan.version)
        call.ledger.note(tx, call.actor, "ping secret shown")
    url = installation_url(sender.url, instance_id)
    line = f"-H {shlex.quote(f'Authorization: Bearer {secret}')} {shlex.quote(url)}"
    return shapes.Revealed(
        instance_id=instance_id, secret=secret, url=url, show=f"curl {line}", erase=f"curl -X DELETE {line}"
    )


def installation_url(ping_url: str, instance_id: str) -> str:
    """Where the collector that takes pings at `ping_url` shows and erases an installation."""
    return f"{ping_url.rstrip('/').removesuffix('/ping')}/installations/{instance_id}"


def _refuse_second(tx: Connection, now: datetime) -> None:
    """Two pings that carry the same last receipt would look like a copied database at the collector."""
    newest = next(iter(archive.history(tx)), None)
    waiting = newest is not None and newest.outcome == "waiting"
    if newest is not None and waiting and now - datetime.fromtimestamp(newest.made_at / 1000, UTC) < UNDER_WAY:
        raise WebError("ping_under_way")


def _archived(tx: Connection, seq: str) -> Archived:
    found = next((each for each in archive.history(tx) if str(each.seq) == seq), None)
    if found is None:
        raise WebError("not_found")
    return found


def _decided(decision: Decision) -> shapes.Decided:
    return shapes.Decided(
        allowed=decision.allowed,
        reason=decision.reason,
        decided_by=decision.decided_by,
        explanation=decision.explanation,
        layers=[Layer(layer=each.layer, value=each.value, decides=each.decides) for each in decision.layers],
    )


def _plan(sender: Sender, accepted: int) -> shapes.Plan:
    plan = sender.plan
    sent = {each.path for each in plan.sent(accepted)}
    facts = sender.facts()
    left_out = set(plan.build(facts).left_out)
    fields = [
        _field(each, facts, sent=each.path in sent, fits=each.path not in left_out) for each in plan.fields if each.send
    ]
    return shapes.Plan(
        version=plan.version,
        accepted=accepted,
        fields=fields,
        envelope=[shapes.EnvelopeField(path=each.path, type=each.type, why=each.why) for each in plan.envelope],
        waiting=[each for each in fields if not each.sent],
    )


def _field(field: Field, facts: Mapping[str, object], *, sent: bool, fits: bool) -> shapes.Field:
    return shapes.Field(
        path=field.path,
        type=field.type,
        values=sorted(field.values),
        why=field.why,
        since=field.since,
        owner=field.owner,
        plan=field.plan,
        sent=sent,
        value=field.check(facts.get(field.path)) if fits else None,
    )


def _row(each: Archived) -> shapes.Row:
    return shapes.Row(
        seq=each.seq,
        period=each.period,
        made_at=datetime.fromtimestamp(each.made_at / 1000, UTC),
        outcome=each.outcome,
        attempts=each.attempts,
        status=each.status,
        error=each.error,
        receipt=each.receipt,
        bytes=len(each.body),
    )


def _moment(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
