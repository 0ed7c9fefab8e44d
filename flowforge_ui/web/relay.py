"""The capture endpoint's HTTP side: bytes in, the telemetry room's answer out. Neither cookies nor addresses.

It stands before the framework, whose part of a request would cost more than receiving the event does.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import orjson
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

from flowforge_ui.telemetry.capture import CaptureAnswer, CaptureRequest
from flowforge_ui.telemetry.capture_wire import MAX_BODY

from .errors import WebError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flowforge_ui.telemetry.capture import Capture

log = logging.getLogger(__name__)

_HEADERS = (
    ("HTTP_CONTENT_ENCODING", "content-encoding"),
    ("HTTP_SEC_GPC", "sec-gpc"),
    ("HTTP_DNT", "dnt"),
)
_STATUS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Relay:
    """WSGI: what lies at or below the installation's prefix is the capture endpoint's, the rest the application's."""

    def __init__(self, application: WSGIApplication, capture: Capture, prefix: str) -> None:
        self._application, self._capture = application, capture
        self._root, self._below = f"/{prefix}", f"/{prefix}/"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(self._below) and path != self._root:
            return self._application(environ, start_response)
        answer = self._answer(environ, path[len(self._below) :])
        headers = list(answer.headers.items())
        if answer.body:
            headers.append(("Content-Length", str(len(answer.body))))
        start_response(_STATUS[answer.status], headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _answer(self, environ: WSGIEnvironment, path: str) -> CaptureAnswer:
        method = environ["REQUEST_METHOD"]
        try:
            body = _read(environ) if method == "POST" else b""
        except (OSError, ClientDisconnected):
            return _refusal("malformed")  # whoever went away hears nothing; for the others it is true
        headers = {name: environ[key] for key, name in _HEADERS if key in environ}
        try:
            return self._capture.handle(CaptureRequest(method, path, body, headers, _query(environ)))
        except Exception:
            log.exception("%s to the capture endpoint failed", method)
            return _refusal("internal")


def _refusal(code: str) -> CaptureAnswer:
    refusal = WebError(code)
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return CaptureAnswer(refusal.status, orjson.dumps(refusal.as_json()), headers)


def _query(environ: WSGIEnvironment) -> dict[str, str]:
    """Of a name that comes twice the first value counts."""
    text = environ.get("QUERY_STRING", "")
    return dict(reversed(parse_qsl(text, keep_blank_values=True))) if text else {}


def _read(environ: WSGIEnvironment) -> bytes:
    """One byte more than allowed tells too much from just enough; what follows it is not read."""
    stream = get_input_stream(environ)
    parts, left = [], MAX_BODY + 1
    while left > 0 and (part := stream.read(min(left, 65536))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
