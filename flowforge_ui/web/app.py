"""The Flask application: routes from the tables, errors in one shape, headers on everything."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

import orjson
from flask import Flask, Response, request
from sqlalchemy.exc import OperationalError, StatementError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from flowforge_ui.analytics.errors import StoreError
from flowforge_ui.platform.errors import PlatformError, TooManyAttempts

from . import pages
from .api import ENDPOINTS
from .api.call import view
from .assets import PREFIX, BuiltFiles
from .errors import WebError, from_status
from .headers import DATA_POLICY, common
from .middleware import CommonHeaders
from .relay import Relay

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from .house import House

log = logging.getLogger(__name__)

RETRY_SECONDS = 5
_MACHINES = ("/api/", PREFIX)


def make_app(house: House) -> Flask:
    """The application of one house. Nothing runs beside the requests until somebody starts it."""
    app = Flask("flowforge_ui", static_folder=None, template_folder=None)
    # The router would answer with redirects to addresses made from the Host header, which anybody may write.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["page"] = pages.PagePath
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    for endpoint in ENDPOINTS:
        app.add_url_rule(
            endpoint.path,
            endpoint.name,
            view(house, endpoint),
            methods=[endpoint.method],
            provide_automatic_options=False,
        )
    app.register_blueprint(pages.blueprint(house))
    _register_errors(app, house)
    headers = {**common(house.settings.base_url), "Content-Security-Policy": DATA_POLICY}
    inner = cast("WSGIApplication", app.wsgi_app)
    relay = Relay(BuiltFiles(inner, house.bundle.file), house.capture, house.platform.installation.capture_prefix)
    app.wsgi_app = CommonHeaders(relay, headers)  # type: ignore[method-assign]
    return app


def _register_errors(app: Flask, house: House) -> None:
    def answer(error: Exception) -> Response:
        refusal = _refusal(error)
        response = _render(house, refusal)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        if refusal.retry_after is not None:
            response.headers["Retry-After"] = str(refusal.retry_after)
        response.headers["Cache-Control"] = "no-store"
        return response

    app.register_error_handler(Exception, answer)


def _refusal(error: Exception) -> WebError:
    """The one table from what was raised to what is said. What nobody expected is logged and not told."""
    if isinstance(error, WebError):
        return error
    if isinstance(error, PlatformError):
        retry_after = error.retry_after if isinstance(error, TooManyAttempts) else None
        return WebError(error.code, str(error), error.fields, retry_after)
    if isinstance(error, HTTPException):
        return from_status(error.code or 500)
    place = f"{request.method} {request.url_rule or 'an unknown address'}"
    if isinstance(error, StoreError):
        log.error("%s: %s", place, error)
        return WebError("unavailable", "The analytics store cannot be read right now.", retry_after=RETRY_SECONDS)
    if isinstance(error, StatementError):
        error.hide_parameters = True
    if isinstance(error, OperationalError):
        log.error("%s: the database: %s", place, error.orig)
        return WebError("unavailable", retry_after=RETRY_SECONDS)
    log.error("%s failed", place, exc_info=error)
    return WebError("internal")


def _render(house: House, refusal: WebError) -> Response:
    facts = refusal.as_json()
    if request.method in {"GET", "HEAD"} and not f"{request.path}/".startswith(_MACHINES):
        title = "Not available" if refusal.status == 503 else "Something went wrong"
        html = house.shell.error(title, str(facts["error"]))
        return Response(html, refusal.status, mimetype="text/html")
    return Response(orjson.dumps(facts), refusal.status, mimetype="application/json")
