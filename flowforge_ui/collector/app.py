"""The collector's own Flask app: pings in, the fleet's page and numbers out. Knows nothing of the platform."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, cast

import orjson
from flask import Flask, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from flowforge_ui.collector.routes import PING_PATHS, Collector, Routes, as_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flowforge_ui.collector.receive import Answer

log = logging.getLogger(__name__)

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
CSP = "; ".join(_POLICY)
_EVERY = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": CSP,
}


def create_app(collector: Collector) -> Flask:
    """The WSGI app; mount it anywhere, its page finds its files by relative address."""
    app = Flask("flowforge_collector", static_folder=None, template_folder=None)
    routes = Routes(collector)
    for method, rule, handler in routes.table():
        app.add_url_rule(rule, f"{method} {rule}", handler, methods=[method])
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(SQLAlchemyError, _away)
    app.register_error_handler(Exception, _failed)
    app.after_request(_headers)
    app.wsgi_app = _Front(cast("WSGIApplication", app.wsgi_app), routes.take)  # type: ignore[method-assign]
    return app


class Bounded:
    """A collector below another app: ``places`` of its requests at work, the others are asked to come back.

    A request that waits for a database occupies a thread of the server, and the server has other work.
    """

    def __init__(self, app: WSGIApplication, places: int) -> None:
        self._app = app
        self._places = threading.Semaphore(places)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith("/assets/"):
            return self._app(environ, start_response)  # files, of which a page asks for many at once
        if not self._places.acquire(blocking=False):
            busy = as_error(503, "overloaded", "Too much at a time; try again.", 5)
            return _headers(busy)(environ, start_response)
        try:
            return self._app(environ, start_response)
        finally:
            self._places.release()


class _Front:
    """Takes pings before the framework, whose dispatch costs as much as the ping.

    It also minds a mounted app that is asked for without the slash at the end: a page is sent on, as its relative
    addresses need the slash; a ping is taken. The router would redirect both, to an address made of the Host header.
    """

    def __init__(self, app: WSGIApplication, take: Callable[[Request], Answer]) -> None:
        self._app = app
        self._take = take

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if method == "POST" and path in {"", *PING_PATHS}:
            return self._receive(environ, start_response)
        if not path and method in {"GET", "HEAD"}:
            where = environ.get("SCRIPT_NAME", "").rpartition("/")[2]
            start_response("308 Permanent Redirect", [("Location", f"{where}/"), ("Content-Length", "0")])
            return []
        return self._app({**environ, "PATH_INFO": path or "/"}, start_response)

    def _receive(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = self._take(Request(environ))
        except HTTPException as error:
            return _headers(_refused(error))(environ, start_response)
        except SQLAlchemyError as error:
            return _headers(_away(error))(environ, start_response)
        except Exception as error:  # noqa: BLE001 - what the framework would do
            return _headers(_failed(error))(environ, start_response)
        body = orjson.dumps(answer.body)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *_EVERY.items()]
        if answer.retry_after is not None:
            headers.append(("Retry-After", str(answer.retry_after)))
        start_response(f"{answer.status} {HTTP_STATUS_CODES[answer.status]}", headers)
        return [body]


def _refused(error: HTTPException) -> Response:
    code = error.name.lower().replace(" ", "_")
    return as_error(error.code or 500, code, f"{error.name}.")


def _away(error: SQLAlchemyError) -> Response:
    log.warning("the collector's database is away (%s)", type(error).__name__)
    return as_error(503, "unavailable", "The database cannot be reached.", 30)


def _failed(error: Exception) -> Response:
    # No traceback: it could carry a request's values.
    log.error("a request failed (%s)", type(error).__name__)
    return as_error(500, "internal", "Something went wrong here.")


def _headers(response: Response) -> Response:
    for name, value in _EVERY.items():
        response.headers.setdefault(name, value)
    return response
