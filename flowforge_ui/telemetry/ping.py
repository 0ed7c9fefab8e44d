"""The core ping's sender: decide, claim, build, archive the exact bytes, post, write down what came back.

It never raises into the platform and never sends anything its decision does not allow at that moment.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from . import archive
from .archive import Occasion
from .decision import Decision
from .event import milliseconds
from .post import Post, PostError, Reply
from .schedule import FIRST, Schedule
from .wire import Built, PingPlan, encode

log = logging.getLogger(__name__)

TRIES = 3
FIRST_PAUSE_S = 20.0
LONGEST_PAUSE_S = 300.0
AGAIN = timedelta(minutes=1)

Outcome = Literal["off", "recent", "sent", "failed"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one occasion; ``error`` says why a ping failed, ``seq`` names it in the archive.

    ``due``: when the next one is, as far as the database knows.
    """

    outcome: Outcome
    seq: int | None = None
    error: str | None = None
    due: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Preview:
    """The bytes the next ping would have, the fields that would be left out, and those that wait for consent."""

    body: bytes
    built: Built
    waiting: tuple[str, ...]


@dataclass
class Sender:
    """One for the process. ``facts`` gathers values by the plan's paths; ``pause`` waits, True to give up early."""

    plan: PingPlan
    url: str
    decide: Callable[[], Decision]
    facts: Callable[[], Mapping[str, object]]
    post: Post
    transaction: Callable[[], AbstractContextManager[Connection]]
    clock: Callable[[], datetime]
    chance: random.Random
    pause: Callable[[float], bool]
    _failing: bool | None = field(default=None, init=False)
    _off: str | None = field(default=None, init=False)

    def send(self, *, occasion: Occasion | None = None, even_if_recent: bool = False) -> Result:
        """Send one ping if it is allowed and due; three tries, then it waits for its next time."""
        decision = self.decide()
        self._say_whether(decision)
        if not decision.allowed:
            return Result("off")
        facts = self.facts()
        with self.transaction() as tx:  # one: a claim without its bytes would cost the day's ping
            claimed = archive.claim(
                tx, self._now(), self.plan.version, occasion=occasion, even_if_recent=even_if_recent
            )
            if claimed is None:
                return Result("recent", due=_moment(archive.due_at(tx)))
            built = self.plan.build(facts, claimed.accepted_plan)
            body = encode(built.payload, claimed.envelope(self.plan.version))
            archive.keep(tx, claimed, body, url=self.url, now_ms=self._now())
        if built.left_out:
            log.warning("The ping leaves out what does not fit its type: %s", ", ".join(built.left_out))
        return self._deliver(claimed.seq, body)

    def preview(self) -> Preview:
        """Exactly what ``send`` would send now, sending nothing."""
        with self.transaction() as tx:
            claimed = archive.preview_claim(tx, self._now(), self.plan.version)
        built = self.plan.build(self.facts(), claimed.accepted_plan)
        waiting = tuple(each.path for each in self.plan.added_since(claimed.accepted_plan))
        return Preview(encode(built.payload, claimed.envelope(self.plan.version)), built, waiting)

    def _deliver(self, seq: int, body: bytes) -> Result:
        reply: Reply | None = None
        error: str | None = None
        attempts = 0
        for attempt in range(TRIES):
            if attempt and not self._wait(attempt, reply, seq):
                break
            attempts, reply, error = attempt + 1, None, None
            try:
                reply = self.post(body)
                error = judge(reply)
            except PostError as failure:
                error = failure.reason
            log.debug("Ping %s, try %s: %s", seq, attempts, error or "taken")
            if error is None or not _again(reply):
                break
        asked = reply.retry_after if reply is not None and error is not None else None
        with self.transaction() as tx:
            archive.finish(
                tx,
                seq,
                now_ms=self._now(),
                attempts=attempts,
                status=reply.status if reply else None,
                answer=reply.body[:4096] if reply else None,
                receipt=receipt_of(reply) if reply and error is None else None,
                error=error,
                not_before=None if asked is None else self._now() + int(asked * 1000),
            )
            due = _moment(archive.due_at(tx))
        self._say(error)
        return Result("failed" if error else "sent", seq, error, due)

    def _wait(self, attempt: int, reply: Reply | None, seq: int) -> bool:
        """Pauses before another try; False where none shall be made. Who asks for more has to wait for the next day."""
        if reply is not None and reply.retry_after is not None:
            seconds = reply.retry_after
        else:
            seconds = self.chance.uniform(0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**attempt))
        if seconds > LONGEST_PAUSE_S or self.pause(seconds) or not self.decide().allowed:
            return False
        with self.transaction() as tx:
            return not archive.is_overtaken(tx, seq)

    def _say(self, error: str | None) -> None:
        """One line when the state changes, none while it stays."""
        failing = error is not None
        if failing != self._failing and (failing or self._failing):
            log.info("The core ping could not be delivered: %s", error) if failing else log.info(
                "The core ping is taken again"
            )
        self._failing = failing

    def _say_whether(self, decision: Decision) -> None:
        """One line when it is off and why, none while that stays so."""
        off = None if decision.allowed else decision.explanation
        if off is None and self._off is not None:
            log.info("The core ping is on again")
        elif off != self._off:
            log.info("No core ping is sent: it is off. %s", off)
        self._off = off

    def _now(self) -> int:
        return milliseconds(self.clock())


class Loop:
    """A thread that ticks a schedule and sends when it is due."""

    def __init__(
        self,
        sender: Sender,
        initialised: Callable[[], bool],
        *,
        first: timedelta = FIRST,
        every_s: float = 1.0,
    ) -> None:
        self._sender = sender
        self._initialised = initialised
        self._every_s = every_s
        self._schedule = Schedule.pick(sender.chance, first)
        self._stopping = threading.Event()
        sender.pause = self._stopping.wait
        self._thread = threading.Thread(target=self._run, name="core ping", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """End; a ping under way is given up (its bytes stay archived)."""
        self._stopping.set()
        self._thread.join(timeout=2)

    @property
    def due(self) -> datetime | None:
        """When the next ping goes out; None until the platform is initialised."""
        return self._schedule.due

    def step(self) -> Result | None:
        """One tick: the result of a ping that was due, else None."""
        now, before = self._sender.clock(), self._schedule
        after, is_due = before.tick(now, initialised=self._initialised())
        self._schedule = after
        if not is_due or after.due is None:
            return None
        try:
            result = self._sender.send(occasion=Occasion(milliseconds(after.due), starting=not before.started))
        except SQLAlchemyError:
            self._schedule = replace(before, due=now + AGAIN)  # the database was away: the ping is due yet
            raise
        if result.due is not None:
            self._schedule = after.at(result.due)
        return result

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                self.step()
            except SQLAlchemyError as error:
                log.debug("The ping waits for the database (%s)", type(error).__name__)
            except Exception:
                log.exception("The ping could not be made")


def judge(reply: Reply) -> str | None:
    """None for an answer that says "taken", else why it is none. A redirect is refused: it could lead anywhere."""
    if 200 <= reply.status < 300:
        return None
    if 300 <= reply.status < 400:
        return f"redirected ({reply.status})"
    return f"answered {reply.status}"


def receipt_of(reply: Reply) -> str | None:
    """The receipt in an answer; None where there is none (older collectors give none) or it is none."""
    try:
        found = orjson.loads(reply.body)["receipt"]
    except (ValueError, TypeError, KeyError):
        return None
    fits = isinstance(found, str) and len(found) == 32 and all(each in "0123456789abcdef" for each in found)
    return found if fits else None


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)


def _again(reply: Reply | None) -> bool:
    """Whether another try could help: nothing came back, too many at once, or trouble at the other end."""
    return reply is None or reply.status == 429 or reply.status >= 500
