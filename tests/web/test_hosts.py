"""The list of hosts a platform may contact leaves none out, and names them with their ports."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowforge_ui.config import load
from flowforge_ui.telemetry.decision import Channel
from flowforge_ui.web.api.hosts import hosts

KEY = "FLOWFORGE_TELEMETRY__"
PG = "FLOWFORGE_DATABASE__URL"
STORE = f"{KEY}FRONTEND__LOCAL__URL"
COLLECTOR = {"FLOWFORGE_COLLECTOR__MOUNT": "true", "FLOWFORGE_COLLECTOR__DATABASE_URL": "postgresql://c@fleet/c"}


def listed(environ: dict[str, str], *channels: Channel) -> list[str]:
    return [one.host for one in hosts(load(None, environ, cwd=Path("/srv")), lambda channel: channel in channels)]


@pytest.mark.parametrize(
    ("environ", "channels", "expected"),
    [
        ({}, (), []),
        ({}, ("ping", "posthog", "plausible"), ["ping.flowforge.com", "us.i.posthog.com", "plausible.io"]),
        ({f"{KEY}URL": "http://ping.plant:8080/x"}, ("ping",), ["ping.plant:8080"]),
        ({f"{KEY}FRONTEND__POSTHOG__APIURL": "http://[fd00::5]:8000"}, ("posthog",), ["[fd00::5]:8000"]),
        # A proxy is contacted when somebody sends through it, once however many do; a browser never does.
        ({"HTTPS_PROXY": "http://u:p@proxy:3128"}, (), []),
        ({"HTTPS_PROXY": "http://u:p@proxy:3128"}, ("plausible",), ["plausible.io"]),
        (
            {"HTTPS_PROXY": "http://u:p@proxy:3128"},
            ("ping", "posthog"),
            ["ping.flowforge.com", "us.i.posthog.com", "proxy:3128"],
        ),
        ({"HTTPS_PROXY": "http://proxy", "NO_PROXY": "flowforge.com"}, ("ping",), ["ping.flowforge.com"]),
        ({f"{KEY}PROXY": "https://proxy"}, ("ping",), ["ping.flowforge.com", "proxy"]),
        # Databases of other machines.
        ({STORE: "clickhouse://u:p@numbers/ff"}, (), []),
        ({STORE: "clickhouse://u:p@numbers/ff"}, ("local",), ["numbers:8123"]),
        ({STORE: "clickhouses://u:p@numbers:9440/ff"}, ("local",), ["numbers:9440"]),
        ({STORE: "clickhouse://u:p@127.0.0.1:8123/ff"}, ("local",), []),
        ({PG: "postgresql://u:p@db/ff"}, (), ["db:5432"]),
        ({PG: "postgresql://u:p@db:6432/ff"}, (), ["db:6432"]),
        ({PG: "postgresql://u:p@[fd00::7]/ff"}, (), ["[fd00::7]:5432"]),
        ({PG: "postgresql://u:p@localhost/ff"}, (), []),
        ({PG: "postgresql://u:p@/ff?host=/run/postgresql"}, (), []),
        ({PG: "postgresql://u:p@x/ff?host=one:6000&host=two"}, (), ["one:6000", "two:5432"]),
        ({PG: "postgresql://u:p@x/ff?host=one,localhost,two&port=1,2,3"}, (), ["one:1", "two:3"]),
        (COLLECTOR, (), ["fleet:5432"]),
        (COLLECTOR | {"FLOWFORGE_COLLECTOR__MOUNT": "false"}, (), []),
    ],
)
def test_every_host_is_there(environ: dict[str, str], channels: tuple[Channel, ...], expected: list[str]) -> None:
    assert listed(environ, *channels) == expected


def test_how_to_stop_a_proxy_names_what_set_it() -> None:
    def cure(environ: dict[str, str]) -> str:
        return hosts(load(None, environ, cwd=Path("/srv")), lambda channel: channel == "ping")[1].how_to_stop

    assert cure({"https_proxy": "http://proxy"}) == "Unset https_proxy."
    assert cure({f"{KEY}PROXY": "http://proxy"}) == "Unset telemetry.proxy."
