"""What the core ping's console takes and gives, as docs/api.md says it."""

from __future__ import annotations

from .shapes import Answer, Body, Layer, Moment


class Accept(Body):
    version: int


class Decided(Answer):
    allowed: bool
    reason: str
    decided_by: str
    explanation: str
    layers: list[Layer]


class Field(Answer):
    """`value` is what it would say now, null where that does not fit its type; `sent` false waits for consent."""

    path: str
    type: str
    values: list[str]
    why: str
    since: str
    owner: str
    plan: int
    sent: bool
    value: str | int | bool | None


class EnvelopeField(Answer):
    path: str
    type: str
    why: str


class Plan(Answer):
    """`fields` are those this platform knows to send; `waiting` are those among them nobody has accepted yet."""

    version: int
    accepted: int
    fields: list[Field]
    envelope: list[EnvelopeField]
    waiting: list[Field]


class Preview(Answer):
    body: str
    bytes: int
    left_out: list[str]


class Row(Answer):
    seq: int
    period: str
    made_at: Moment
    outcome: str
    attempts: int
    status: int | None
    error: str | None
    receipt: str | None
    bytes: int


class Ping(Answer):
    decision: Decided
    url: str
    plan: Plan
    preview: Preview
    next_due: Moment | None
    history: list[Row]


class Sent(Row):
    """One ping with its exact text and the first bytes of what was answered."""

    url: str
    sha256: str
    finished_at: Moment | None
    body: str
    answer: str | None


class Revealed(Answer):
    """The two links at the collector, and the same as lines for a terminal."""

    instance_id: str
    secret: str
    url: str
    show: str
    erase: str
