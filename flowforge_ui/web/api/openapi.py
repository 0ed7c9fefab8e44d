"""The API as an OpenAPI 3.1 document, made from the table of endpoints and the shapes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from flowforge_ui.web.errors import STATUS

from .shapes import Problem
from .table import Endpoint, Guard

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_REF = "#/components/schemas/{model}"
_TEAM_GUARDS = frozenset({Guard.VIEWER, Guard.MEMBER, Guard.OWNER})


def document(endpoints: Iterable[Endpoint], *, version: str, base_url: str) -> dict[str, Any]:
    """Pure; the same table gives the same document."""
    table = list(endpoints)
    models = dict.fromkeys(m for e in table for m in (e.answer, e.body) if m is not None) | {Problem: None}
    _, schemas = models_json_schema([(m, _mode(m, table)) for m in models], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in table:
        paths.setdefault(_PARAMETER.sub(r"{\1}", endpoint.path), {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {"title": "FlowForge UI", "version": version},
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "ff_session"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
            },
        },
    }


def _mode(model: type[BaseModel], table: list[Endpoint]) -> Any:
    return "validation" if any(endpoint.body is model for endpoint in table) else "serialization"


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": f"Who: {endpoint.guard.value}.",
        "responses": _responses(endpoint),
        "security": _security(endpoint),
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(endpoint.path)
    ]
    parameters += [
        {"name": name, "in": "query", "required": False, "schema": {"type": "string", "format": "date"}}
        for name in endpoint.query
    ]
    if parameters:
        operation["parameters"] = parameters
    schema = {"type": "array"} if endpoint.raw else None
    if endpoint.body is not None:
        schema = {"$ref": _REF.format(model=endpoint.body.__name__)}
    if schema is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _security(endpoint: Endpoint) -> list[dict[str, list[str]]]:
    needed: dict[str, list[str]] = {}
    if endpoint.guard is not Guard.PUBLIC:
        needed["session"] = []
    if endpoint.writes:
        needed["csrf"] = []
    return [needed] if needed else []


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Success"}
    if endpoint.answer is not None:
        schema = {"$ref": _REF.format(model=endpoint.answer.__name__)}
        success["content"] = {"application/json": {"schema": schema}}
    elif endpoint.status != 204:
        success["content"] = {"application/json": {"schema": {}}}
    responses = {str(endpoint.status): success}
    for status in sorted({STATUS[code][0] for code in _codes(endpoint)}):
        responses[str(status)] = {
            "description": "Refused",
            "content": {"application/json": {"schema": {"$ref": _REF.format(model="Problem")}}},
        }
    return responses


def _codes(endpoint: Endpoint) -> set[str]:
    """Every code the machinery around a handler may answer with, and those the handler itself declares."""
    codes = {"internal", *endpoint.errors}
    if endpoint.guard is not Guard.PUBLIC:
        codes.add("not_signed_in")
    if endpoint.guard in {Guard.ADMIN, Guard.ANALYST}:
        codes.add("forbidden")
    if endpoint.guard in _TEAM_GUARDS:
        codes |= {"forbidden", "not_found"}
    if endpoint.writes:
        codes.add("csrf")
    if endpoint.body is not None or endpoint.raw:
        codes |= {"invalid", "too_large", "unsupported_media_type"}
    if "<" in endpoint.path:
        codes.add("not_found")
    return codes
