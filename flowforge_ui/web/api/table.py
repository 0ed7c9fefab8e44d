"""The table of endpoints. Routing, guards, bodies and the OpenAPI document are all read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel

Handler = Callable[..., object]


class Guard(StrEnum):
    """Who may call an endpoint. The team's guards are kept by the platform, which knows who belongs to what."""

    PUBLIC = "anyone"
    USER = "user"
    ANALYST = "analyst"
    ADMIN = "admin"
    VIEWER = "team viewer"
    MEMBER = "team member"
    OWNER = "team owner"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method on one path. ``path`` is written as Flask writes it; ``raw`` takes any body up to ``limit`` bytes."""

    method: str
    path: str
    guard: Guard
    summary: str
    handler: Handler
    answer: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    status: int = 200
    limit: int = 64 * 1024
    raw: bool = False
    query: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.handler.__module__.rpartition('.')[2]}.{self.handler.__name__}"

    @property
    def writes(self) -> bool:
        return self.method not in {"GET", "HEAD"}


@dataclass(slots=True)
class Table:
    """Collects endpoints of one file below a common prefix."""

    prefix: str
    endpoints: list[Endpoint] = field(default_factory=list)

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self.endpoints)

    def on(
        self,
        method: str,
        path: str,
        guard: Guard,
        summary: str,
        *,
        answer: type[BaseModel] | None = None,
        body: type[BaseModel] | None = None,
        status: int | None = None,
        limit: int = 64 * 1024,
        raw: bool = False,
        query: tuple[str, ...] = (),
        errors: tuple[str, ...] = (),
    ) -> Callable[[Handler], Handler]:
        """Enter a handler. Without an ``answer`` the status is 204."""

        def enter(handler: Handler) -> Handler:
            self.endpoints.append(
                Endpoint(
                    method=method,
                    path=self.prefix + path,
                    guard=guard,
                    summary=summary,
                    handler=handler,
                    answer=answer,
                    body=body,
                    status=status or (200 if answer else 204),
                    limit=limit,
                    raw=raw,
                    query=query,
                    errors=errors,
                )
            )
            return handler

        return enter
