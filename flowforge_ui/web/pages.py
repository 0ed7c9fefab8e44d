"""The shell at every address of the plan, and the few other answers that are no API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, redirect, request
from werkzeug.routing import PathConverter

from flowforge_ui.database import is_migrated

from . import boot
from .callers import identify, touch
from .errors import WebError
from .headers import DATA_POLICY, document_policy

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from flowforge_ui.telemetry.routes import Route

    from .callers import Caller
    from .channels import Now
    from .house import House

NOT_BUILT = "The front end has not been built. Run `make build` (or install the wheel, which carries it)."


class PagePath(PathConverter):
    """Any path but those of machines, where an unknown address is an error and no page."""

    regex = "(?!(?:api|assets)(?:/|$))[^/].*?"


def blueprint(house: House) -> Blueprint:
    pages = Blueprint("pages", __name__)

    def page(path: str = "") -> BaseResponse:
        return show(house, f"/{path}")

    pages.add_url_rule("/", "root", page, provide_automatic_options=False)
    pages.add_url_rule("/<page:path>", "page", page, provide_automatic_options=False)
    pages.add_url_rule("/healthz", "healthz", lambda: _plain("ok"), provide_automatic_options=False)
    pages.add_url_rule("/readyz", "readyz", lambda: _ready(house), provide_automatic_options=False)
    for name in ("favicon.svg", "favicon.ico"):
        pages.add_url_rule(f"/{name}", name.replace(".", "_"), lambda: _icon(house), provide_automatic_options=False)
    return pages


def show(house: House, path: str) -> BaseResponse:
    """The shell for an address: 200, 404, or a redirect to set-up while that is unfinished."""
    caller = identify(house, request)
    now = house.channels.current()
    route = _route(house, now, path)
    if not now.setup.finished and (route is None or route.name != "setup"):
        return _private(redirect("/setup"))
    facts = boot.facts_at(house, now, caller)
    touch(house, caller)
    assets = house.bundle.assets()
    if assets is None:
        raise WebError("unavailable", NOT_BUILT)
    shown = _shown(house, route, caller)
    html = house.shell.page(assets, shown.title, facts, shown.name if _may_see(shown, caller) else None)
    response = Response(html, status=200 if route else 404, mimetype="text/html")
    response.headers["Content-Security-Policy"] = document_policy(boot.outside(house, now))
    if caller.visitor_is_new:
        house.cookies.put(response, house.cookies.visitor, caller.visitor)
    response.add_etag()
    return _private(response.make_conditional(request) if route else response)


def _private(response: BaseResponse) -> BaseResponse:
    """Kept by this browser alone and asked about each time; `no-store` would cost the back/forward cache."""
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _route(house: House, now: Now, path: str) -> Route | None:
    """The page of the plan at a path, if the platform's state allows it."""
    match = house.plan.match(path)
    if match is None:
        return None
    open_now = {
        None: True,
        "setup": not now.setup.finished,
        "signup": now.setup.finished and now.chosen.user_signup is True,
    }
    return match.route if open_now[match.route.when] else None


def _shown(house: House, route: Route | None, caller: Caller) -> Route:
    """Whose title and view it is; a signed-out visitor sees the login view at the same address."""
    table = house.plan.table.by_name
    if route is None:
        return table["not_found"]
    return table["login"] if route.who != "anyone" and caller.user is None else route


def _may_see(route: Route, caller: Caller) -> bool:
    if route.who in {"anyone", "user"} or caller.user is None:
        return True
    return caller.user.role in {"admin", route.who}


def _plain(text: str, status: int = 200) -> Response:
    response = Response(f"{text}\n", status=status, mimetype="text/plain")
    response.headers["Cache-Control"] = "no-store"
    return response


def _ready(house: House) -> Response:
    try:
        ready = is_migrated(house.platform.engine)
    except Exception:  # noqa: BLE001 - whatever the driver raises, it cannot be reached
        return _plain("the database cannot be reached", 503)
    return _plain("ready") if ready else _plain("the database is not migrated", 503)


def _icon(house: House) -> BaseResponse:
    response = Response(house.shell.icon, mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.headers["Content-Security-Policy"] = DATA_POLICY
    response.add_etag()
    return response.make_conditional(request)
