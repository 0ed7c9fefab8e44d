"""The capture endpoint's HTTP side: bytes in, the telemetry room's answer out. Neither cookies nor addresses."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from flowforge_ui.telemetry.capture import CaptureRequest
from flowforge_ui.telemetry.capture_wire import MAX_BODY

if TYPE_CHECKING:
    from flask import Request

    from .house import House

_HEADERS = ("Content-Type", "Content-Encoding", "Sec-GPC", "DNT")
_METHODS = ["GET", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"]


def blueprint(house: House) -> Blueprint:
    relay = Blueprint("relay", __name__)

    def capture(rest: str = "") -> Response:
        body = _read(request) if request.method == "POST" else b""
        headers = {name.lower(): value for name in _HEADERS if (value := request.headers.get(name)) is not None}
        answer = house.capture.handle(CaptureRequest(request.method, rest, body, headers, request.args.to_dict()))
        return Response(answer.body, answer.status, dict(answer.headers))

    prefix = f"/{house.platform.installation.capture_prefix}"
    relay.add_url_rule(prefix, "root", capture, methods=_METHODS, provide_automatic_options=False)
    relay.add_url_rule(f"{prefix}/", "slash", capture, methods=_METHODS, provide_automatic_options=False)
    relay.add_url_rule(f"{prefix}/<path:rest>", "capture", capture, methods=_METHODS, provide_automatic_options=False)
    return relay


def _read(received: Request) -> bytes:
    """One byte more than allowed tells too much from just enough; what follows it is not read."""
    received.max_content_length = sys.maxsize  # None would mean the application's own limit
    parts, left = [], MAX_BODY + 1
    while left > 0 and (part := received.stream.read(min(left, 65536))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
