"""Bodies as posthog-js sends them, and a signed-in browser to send them from."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from bench.load import request
from flowforge_ui.telemetry.event import new_uuid
from tests.support.product import PASSWORD


def event(facts: dict[str, Any]) -> dict[str, Any]:
    """One `$pageleave` of the usual size; `facts` are the boot facts' `telemetry.posthog`."""
    now, base = time.time(), facts["api_host"].rpartition("/")[0]
    return {
        "uuid": new_uuid(),
        "event": "$pageleave",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now)),
        "properties": {
            "token": facts["apikey"],
            "distinct_id": facts["person"]["distinct_id"],
            "ticket": facts["person"]["ticket"],
            "$os": "Linux", "$browser": "Chrome", "$browser_version": 156, "$device_type": "Desktop",
            "$current_url": f"{base}/team/:team/projects", "$host": urlsplit(base).netloc,
            "$pathname": "/team/:team/projects", "$referrer": "$direct", "$referring_domain": "$direct",
            "$screen_height": 1080, "$screen_width": 1920, "$viewport_height": 937, "$viewport_width": 1905,
            "$lib": "web", "$lib_version": "1.449.2", "$insert_id": "x8k2m4n6p8q0r2t4", "$time": now,
            "$device_id": "0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f4f",
            "$session_id": "0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f50",
            "$window_id": "0193b2f0-7c55-7a6e-8d3c-4b1c2d3e4f51",
            "$pageview_id": new_uuid(),
            "route": "team_projects", "route_pattern": "/team/:team/projects",
            "from_route": "team", "to_route": "project",
            "nav_type": "push", "view_id": new_uuid(), "view_index": 4, "load_ms": 38, "engaged_ms": 8412,
            "total_ms": 9120, "scroll_depth": 0.4, "app_version": "0.9.0", "role": "admin", "source": "router",
            "title": "Projects",
        },
    }  # fmt: skip


def capture(path: str, events: Sequence[dict[str, Any]]) -> bytes:
    """As posthog-js posts it: text/plain, gzip found by its magic bytes."""
    body = gzip.compress(json.dumps(events if len(events) > 1 else events[0]).encode(), 1)
    return request("POST", path, body, {"Content-Type": "text/plain"})


class SignedIn:
    """The administrator's cookies and boot facts."""

    def __init__(self, url: str) -> None:
        with requests.Session() as session:
            csrf = session.get(f"{url}/api/v1/csrf", timeout=10).json()["csrf"]
            answer = session.post(
                f"{url}/account/login",
                json={"username": "root", "password": PASSWORD},
                headers={"X-CSRF-Token": csrf},
                timeout=30,
            )
            answer.raise_for_status()
            self.cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
            self.csrf: str = answer.json()["boot"]["csrf"]
            self.facts: dict[str, Any] = answer.json()["boot"]["telemetry"]["posthog"]

    @property
    def path(self) -> str:
        return f"{urlsplit(self.facts['api_host']).path}/e/"
