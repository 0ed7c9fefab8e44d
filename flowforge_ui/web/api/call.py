"""One call of one endpoint: guard, CSRF and body before it, the answer as JSON after it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson
from flask import Response, request
from pydantic import BaseModel, ValidationError

from flowforge_ui.database import reading, transaction
from flowforge_ui.web.callers import Caller, identify, refuse_forgery, touch
from flowforge_ui.web.errors import WebError

from .table import Endpoint, Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from flowforge_ui.platform.actor import Actor
    from flowforge_ui.platform.house import Platform
    from flowforge_ui.platform.record import Ledger
    from flowforge_ui.platform.sessions import Session
    from flowforge_ui.platform.users import User
    from flowforge_ui.web.cookies import Cookie
    from flowforge_ui.web.house import House

B = TypeVar("B")

_WORDS = {
    "missing": "It is needed.",
    "extra_forbidden": "There is no such field.",
    "string_type": "It has to be text.",
    "bool_type": "It has to be true or false.",
    "string_too_long": "It is too long.",
}


@dataclass(slots=True)
class Call(Generic[B]):
    """What a handler gets. `body` is an instance of the endpoint's shape, bytes of a raw one, None without."""

    house: House
    caller: Caller
    body: B
    cookies: dict[Cookie, str | None] = field(default_factory=dict)

    @property
    def platform(self) -> Platform:
        return self.house.platform

    @property
    def ledger(self) -> Ledger:
        return self.house.platform.ledger

    @property
    def actor(self) -> Actor:
        """Whoever is signed in; only for endpoints whose guard asks for that."""
        return _there(self.caller.actor)

    @property
    def user(self) -> User:
        return _there(self.caller.user)

    @property
    def session(self) -> Session:
        return _there(self.caller.session)

    @property
    def now(self) -> datetime:
        return self.ledger.now()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with reading(self.platform.engine) as tx:
            yield tx

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with transaction(self.platform.engine) as tx:
            yield tx

    @contextmanager
    def switching(self) -> Iterator[Connection]:
        """A transaction that may change what is on: in it and after it, nobody goes on with what was read before."""
        self.house.channels.changed()
        try:
            with transaction(self.platform.engine) as tx:
                yield tx
        finally:
            self.house.switched()


T = TypeVar("T")


def _there(value: T | None) -> T:
    if value is None:
        raise WebError("not_signed_in")
    return value


def view(house: House, endpoint: Endpoint) -> Callable[..., Response]:
    """The endpoint as Flask calls it."""

    def answer(**path: str) -> Response:
        request.max_content_length = endpoint.limit
        caller = identify(house, request)
        if endpoint.writes:
            refuse_forgery(house, caller, request)
        admit(endpoint.guard, caller)
        touch(house, caller)
        call: Call[Any] = Call(house, caller, _body(endpoint))
        return _response(endpoint, call, endpoint.handler(call, **path))

    return answer


def admit(guard: Guard, caller: Caller) -> None:
    """Raise unless the guard lets the caller in. Roles in teams are looked at by the platform, in the act itself."""
    if guard is Guard.PUBLIC:
        return
    if caller.actor is None:
        raise WebError("not_signed_in")
    allowed = {Guard.ADMIN: {"admin"}, Guard.ANALYST: {"admin", "analyst"}}.get(guard)
    if allowed is not None and caller.actor.role not in allowed:
        raise WebError("forbidden")


def _body(endpoint: Endpoint) -> BaseModel | bytes | None:
    if endpoint.body is None and not endpoint.raw:
        return None
    if request.mimetype != "application/json":
        raise WebError("unsupported_media_type")
    data = request.get_data(cache=False)
    if endpoint.body is None:
        return data
    try:
        return endpoint.body.model_validate_json(data)
    except ValidationError as error:
        raise _refused(error) from None


def _refused(error: ValidationError) -> WebError:
    fields: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        if problem["type"] == "json_invalid":
            return WebError("malformed", "The body is not JSON.")
        place = ".".join(str(part) for part in problem["loc"])[:100]
        fields.setdefault(place or "body", _WORDS.get(problem["type"], f"{problem['msg']}."))
    return WebError("invalid", fields=fields)


def _response(endpoint: Endpoint, call: Call[Any], answer: object) -> Response:
    if isinstance(answer, Response):
        response = answer
    elif answer is None:
        response = Response(status=204)
        del response.headers["Content-Type"]
    else:
        text = answer.model_dump_json() if isinstance(answer, BaseModel) else orjson.dumps(answer)
        response = Response(text, status=endpoint.status, mimetype="application/json")
    response.headers.setdefault("Cache-Control", "no-store")
    cookies = call.house.cookies
    if call.caller.visitor_is_new:
        cookies.put(response, cookies.visitor, call.caller.visitor)
    for cookie, value in call.cookies.items():
        if value is None:
            cookies.drop(response, cookie)
        else:
            cookies.put(response, cookie, value)
    return response
