"""The JSON API: one table of endpoints, from which routes, guards and the OpenAPI document come."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import orjson
from flask import Response

from flowforge_ui import __version__

from . import account, admin, home, insights, ping, projects, settings, teams, user, users
from .openapi import document
from .table import Endpoint, Guard, Table

if TYPE_CHECKING:
    from .call import Call

_TABLES = [account, home, user, users, teams, projects, settings, admin, ping, insights]
_SELF = Table("/api/v1")


@_SELF.on("GET", "/openapi.json", Guard.PUBLIC, "This API as OpenAPI 3.1", status=200)
def openapi(call: Call[None]) -> Response:
    return Response(_document(call.house.settings.base_url), mimetype="application/json")


@cache
def _document(base_url: str) -> bytes:
    return orjson.dumps(document(ENDPOINTS, version=__version__, base_url=base_url))


ENDPOINTS: tuple[Endpoint, ...] = (*(endpoint for module in _TABLES for endpoint in module.ENDPOINTS), *_SELF)
