"""The one error shape, and the one table from what went wrong to an HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from werkzeug.http import HTTP_STATUS_CODES

# code -> (status, the sentence used where the error brings none of its own)
STATUS: Mapping[str, tuple[int, str]] = {
    # the web's own
    "malformed": (400, "The request cannot be read."),
    "not_signed_in": (401, "Sign in first."),
    "csrf": (403, "This request carries no valid X-CSRF-Token; reload the page."),
    "cross_site": (403, "Requests from other sites are refused."),
    "local_analytics_off": (404, "This server keeps no usage analytics."),
    "method_not_allowed": (405, "This address knows no such method."),
    "unsupported_media_type": (415, "The body has to be application/json."),
    "internal": (500, "Something went wrong on the server; it has been logged."),
    "unavailable": (503, "The server cannot do that right now; try again soon."),
    # the platform's
    "refused": (400, "That is not possible."),
    "invalid": (400, "Some values are not right."),
    "flows_invalid": (400, "This is not a Node-RED flows file."),
    "bad_credentials": (401, "User name or password is wrong."),
    "forbidden": (403, "You may not do that."),
    "suspended": (403, "This account is suspended; ask your administrator."),
    "signup_off": (403, "Accounts are created by an administrator here."),
    "not_found": (404, "There is no such thing, or it is not yours to see."),
    "username_taken": (409, "That user name is taken."),
    "last_administrator": (409, "This is the last administrator."),
    "last_owner": (409, "This is the last owner of the team."),
    "already_member": (409, "That person is a member of this team already."),
    "already_invited": (409, "That person has been invited already."),
    "setup_admin_exists": (409, "The administrator exists already."),
    "setup_finished": (409, "The set-up has been finished already."),
    "setup_unfinished": (409, "The set-up is not finished yet."),
    "ping_off": (409, "The core ping is off."),
    "ping_under_way": (409, "A ping is on its way; see in a moment what became of it."),
    "plan_changed": (409, "The list of fields has changed; read it again."),
    "too_large": (413, "The body is larger than allowed."),
    "too_many_attempts": (429, "Too many attempts; try again later."),
}

_BY_STATUS = {
    400: "malformed",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    500: "internal",
    503: "unavailable",
}


@dataclass(slots=True)
class WebError(Exception):
    """An answer other than success. ``fields`` name what was wrong with which input; ``retry_after`` is in seconds."""

    code: str
    error: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    retry_after: int | None = None

    @property
    def status(self) -> int:
        return STATUS[self.code][0]

    def as_json(self) -> dict[str, object]:
        body: dict[str, object] = {"code": self.code, "error": self.error or STATUS[self.code][1]}
        if self.fields:
            body["fields"] = dict(self.fields)
        return body


def from_status(status: int) -> WebError:
    """What HTTP's own machinery refused (no such address, method, media type, size), in our shape."""
    if status in _BY_STATUS:
        return WebError(_BY_STATUS[status])
    if status >= 500:
        return WebError("internal")
    return WebError("malformed", HTTP_STATUS_CODES.get(status, "Bad request") + ".")
