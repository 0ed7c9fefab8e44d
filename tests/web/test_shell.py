"""The page: at which addresses, with which title, facts and headers; and that nothing in it can break out."""

from __future__ import annotations

import re
from typing import Any

import pytest

from flowforge_ui import __version__
from flowforge_ui.factory import Runtime
from flowforge_ui.telemetry.identity import Identity
from flowforge_ui.web.headers import document_policy
from flowforge_ui.web.shell import embed
from tests.conftest import Cast
from tests.web.conftest import KEY, LOCAL_ON, Browser, Build, Shell

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!-- <script>",
    "<img src=x onerror=alert(1)>",
    "\"quotes\" and 'quotes' and `ticks`",
    "line\u2028separators\u2029here",
    "\\u003c/script\\u003e \\",
    "emoji 🤖 and ümläut and שלום",
    "]]>&amp;&lt;",
    "{{ 7 * 7 }} {% raw %}",
]


def address(pattern: str) -> str:
    return re.sub(r":\w+", "x1", pattern)


def test_every_page_of_the_plan_is_there_with_its_title(runtime: Runtime, root: Browser) -> None:
    expected = {}
    for route in runtime.house.plan.routes:
        title = "Not found" if route.when else route.title
        expected[route.pattern] = (404 if route.when else 200, f"{title} · FlowForge")
    found = {}
    for route in runtime.house.plan.routes:
        answer = root.get(address(route.pattern))
        found[route.pattern] = (answer.status_code, Shell(answer.get_data(as_text=True)).title)
    assert found == expected


def test_a_signed_out_visitor_sees_the_login_at_the_same_address(runtime: Runtime, cast: Cast) -> None:
    answer = Browser(runtime).get("/team/x1/members")
    assert answer.status_code == 200
    assert Shell(answer.get_data(as_text=True)).title == "Sign in · FlowForge"


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/team",
        "/team/a/b/c",
        "/team//members",
        "/setup",
        "/index.html",
        "/..%2f..%2fetc/passwd",
        "/%00",
        "/%ff%fe",
        "/team/create/%e2%80%a8",
        "/account/login",
        "/account/register",
    ],
)
def test_an_unknown_address_answers_the_same_shell_with_404(alice: Browser, path: str) -> None:
    answer = alice.get(path)
    assert answer.status_code == 404
    shell = Shell(answer.get_data(as_text=True))
    assert shell.title == "Not found · FlowForge"
    assert shell.boot["user"]["username"] == "alice"


def test_a_path_that_looks_like_a_host_is_no_redirect(alice: Browser) -> None:
    answer = alice.client.get("/", environ_overrides={"PATH_INFO": "//evil.example/"})
    assert (answer.status_code, answer.headers.get("Location")) == (404, None)
    assert Shell(answer.get_data(as_text=True)).title == "Not found · FlowForge"


def test_self_registration_has_a_page_only_while_it_is_on(runtime: Runtime, cast: Cast, root: Browser) -> None:
    visitor = Browser(runtime)
    assert visitor.get("/account/register").status_code == 404
    assert root.send("PATCH", "/api/v1/settings", {"user:signup": True}).status_code == 200
    answer = visitor.get("/account/register")
    assert (answer.status_code, Shell(answer.get_data(as_text=True)).title) == (200, "Create an account · FlowForge")
    assert visitor.open("/").boot["setup"]["signup"] is True


def test_until_set_up_is_finished_every_page_leads_to_it(make: Build) -> None:
    visitor = Browser(make(empty=True))
    for path in ("/", "/team/x1", "/nope", "/admin", "/account/register"):
        answer = visitor.get(path, Host="evil.example")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/setup"), path
        assert answer.headers["Cache-Control"] == "private, no-cache"
    answer = visitor.get("/setup")
    assert (answer.status_code, Shell(answer.get_data(as_text=True)).title) == (200, "Set up · FlowForge")


def test_boot_facts_of_a_visitor(runtime: Runtime, cast: Cast) -> None:
    visitor = Browser(runtime)
    facts = visitor.open("/").boot
    prefix = runtime.house.platform.installation.capture_prefix
    assert facts == {
        "version": __version__,
        "base_url": "http://127.0.0.1:3000",
        "user": None,
        "csrf": facts["csrf"],
        "setup": {
            "finished": True,
            "step": "finish",
            "signup": False,
            "telemetry": {"value": True, "locked": False, "explanation": ""},
            "local_analytics": {"value": True, "locked": True, "explanation": ""},
        },
        "telemetry": {
            "posthog": {
                "apikey": runtime.house.platform.installation.local_token,
                "api_host": f"http://localhost/{prefix}",
                "local": None,
                "capture_pageview": False,
                "transport": "relay",
                "pageleave": "route",
                "person": None,
                "dev": False,
            },
            "plausible": None,
            "respect": {"gpc": True, "dnt": True},
        },
    }


def test_boot_facts_of_a_user(runtime: Runtime, cast: Cast, alice: Browser) -> None:
    facts = alice.open("/").boot
    assert facts["user"] == {
        "id": cast.alice.user_id,
        "username": "alice",
        "name": "Alice",
        "role": "user",
        "telemetry_opt_out": False,
    }
    person = facts["telemetry"]["posthog"]["person"]
    assert person["distinct_id"] == cast.alice.subject.distinct_id
    proven = runtime.house.platform.pseudonyms.open(person["ticket"], runtime.house.platform.clock())
    assert proven == Identity(cast.alice.subject.distinct_id, "user")


@pytest.mark.parametrize(
    ("host", "api_host"),
    [
        ("127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("localhost:8080", "http://localhost:8080"),
        ("192.168.1.7:3000", "http://192.168.1.7:3000"),
        ("[::1]:3000", "http://[::1]:3000"),
        ("evil.example", "http://127.0.0.1:3000"),
        ("127.0.0.1.evil.example", "http://127.0.0.1:3000"),
        ("user@localhost", "http://127.0.0.1:3000"),
    ],
)
def test_a_host_that_nobody_configured_is_not_repeated(runtime: Runtime, cast: Cast, host: str, api_host: str) -> None:
    html = Browser(runtime).get("/", Host=host).get_data(as_text=True)
    assert Shell(html).boot["telemetry"]["posthog"]["api_host"].rpartition("/")[0] == api_host
    assert "evil" not in html


BEHIND_TLS = "base_url: https://ff.example\ntrusted_proxies: [10.0.0.0/8]\n" + LOCAL_ON


@pytest.mark.parametrize(
    ("host", "peer", "proto", "origin"),
    [
        # By its own name the page has the scheme that was configured, whoever ends TLS before this server.
        ("ff.example", "10.0.0.1", "https", "https://ff.example"),
        ("ff.example", "127.0.0.1", None, "https://ff.example"),
        # Past the proxy, by an address or on the machine itself, it is plain http.
        ("localhost:3000", "127.0.0.1", None, "http://localhost:3000"),
        ("192.168.1.7:3000", "192.168.1.9", None, "http://192.168.1.7:3000"),
        # What a proxy says counts from those that are trusted, and the last one's word.
        ("192.168.1.7", "10.0.0.1", "https", "https://192.168.1.7"),
        ("192.168.1.7", "10.0.0.1", "http, https", "https://192.168.1.7"),
        ("192.168.1.7", "10.0.0.1", "javascript", "http://192.168.1.7"),
        ("192.168.1.7", "203.0.113.5", "https", "http://192.168.1.7"),
        ("evil.example", "127.0.0.1", None, "https://ff.example"),
    ],
)
def test_a_page_sends_its_events_by_the_scheme_it_was_opened_with(
    make: Build, host: str, peer: str, proto: str | None, origin: str
) -> None:
    browser = Browser(make(BEHIND_TLS))
    headers = {"Host": host} | ({"X-Forwarded-Proto": proto} if proto else {})
    html = browser.client.get("/", headers=headers, environ_overrides={"REMOTE_ADDR": peer}).get_data(as_text=True)
    assert Shell(html).boot["telemetry"]["posthog"]["api_host"].rpartition("/")[0] == origin


def test_nothing_inline_but_the_facts(alice: Browser) -> None:
    shell = alice.open("/")
    assert shell.inline == []
    assert [attributes for attributes, _ in shell.scripts] == [
        {"type": "module", "src": "/assets/main-AAAA.js"},
        {"type": "application/json", "id": "boot"},
    ]
    assert [(link["rel"], link["href"]) for link in shell.links] == [
        ("icon", "/favicon.svg"),
        ("stylesheet", "/assets/style-BBBB.css"),
        ("modulepreload", "/assets/CCCC.js"),
        ("modulepreload", "/assets/DDDD.js"),
        ("modulepreload", "/assets/FFFF.js"),
    ]


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        (None, "/", ["CCCC"]),
        (None, "/admin", ["CCCC"]),
        ("alice", "/admin", ["CCCC"]),
        ("root", "/admin", ["CCCC", "EEEE"]),
        ("root", "/nope", ["CCCC"]),
    ],
)
def test_the_view_that_will_be_shown_comes_with_the_entry(
    runtime: Runtime, name: str | None, path: str, expected: list[str]
) -> None:
    browser = Browser(runtime)
    if name:
        browser.login(name)
    links = [link["href"] for link in browser.open(path).links if link["rel"] == "modulepreload"]
    assert links == [f"/assets/{file}.js" for file in expected]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_text_stays_text(value: str) -> None:
    html = f'<script type="application/json" id="boot">{embed({"name": value, value: 1})}</script>'
    assert Shell(html).boot == {"name": value, value: 1}
    assert len(Shell(html).scripts) == 1
    assert not {"<", ">", "\u2028", "\u2029", "'"} & set(str(embed({"name": value})))


@pytest.mark.parametrize("value", [one for one in HOSTILE[:-1] if "\u2028" not in one])
def test_a_hostile_name_is_shown_as_it_is(alice: Browser, value: str) -> None:
    clean = alice.open("/")
    answer = alice.send("PATCH", "/api/v1/user", {"name": value})
    assert (answer.status_code, answer.get_json().get("name")) == (200, value)
    shell = alice.open("/")
    assert shell.boot["user"]["name"] == value
    assert [attributes for attributes, _ in shell.scripts] == [attributes for attributes, _ in clean.scripts]
    assert shell.inline == []


@pytest.mark.parametrize("value", ["phc_</script><script>alert(1)</script>", "phc_\u2028'\"", "phc_<!--<script>"])
def test_a_hostile_setting_does_not_break_out(make: Build, value: str) -> None:
    """The settings refuse most such keys; what they let pass must be harmless."""
    from dataclasses import replace

    from flowforge_ui.web.app import make_app

    runtime = make(LOCAL_ON)
    house = runtime.house
    page = replace(house.page, apikey=value, local_token=value, host=value)
    runtime.app = make_app(replace(house, page=page))
    shell = Browser(runtime).open("/")
    assert shell.boot["telemetry"]["posthog"]["apikey"] == value
    assert (len(shell.scripts), shell.inline) == (2, [])


def policy(runtime: Runtime) -> str:
    return Browser(runtime).get("/").headers["Content-Security-Policy"]


def settings_text(**posthog: Any) -> str:
    import json

    return json.dumps({"telemetry": {"frontend": {"posthog": {"apikey": KEY, "capture_pageview": False, **posthog}}}})


def test_the_policy_opens_for_what_is_on_and_for_nothing_else(make: Build) -> None:
    host = "https://ph.example:8443"
    plausible = '{"telemetry": {"frontend": {"plausible": {"domain": "x.example", "src": "https://pl.example"}}}}'
    off = '{"telemetry": {"enabled": false, "frontend": {"posthog": {"apikey": "phc_test", "transport": "direct"}}}}'
    cases = [
        ("", []),
        (LOCAL_ON, []),
        (settings_text(apiurl=host), []),
        (settings_text(apiurl=host, transport="direct"), [host]),
        (json_without_key(host), []),
        (plausible, ["https://pl.example"]),
        (off, []),
    ]
    for text, expected in cases:
        runtime = make(text)
        assert policy(runtime) == document_policy(expected), text


def json_without_key(host: str) -> str:
    return f'{{"telemetry": {{"frontend": {{"posthog": {{"transport": "direct", "apiurl": "{host}"}}}}}}}}'


def test_before_set_up_is_finished_the_policy_is_closed_and_nothing_is_measured(make: Build) -> None:
    runtime = make(settings_text(transport="direct"), empty=True)
    answer = Browser(runtime).get("/setup")
    assert answer.headers["Content-Security-Policy"] == document_policy()
    boot = Shell(answer.get_data(as_text=True)).boot
    assert boot["telemetry"] == {"posthog": None, "plausible": None, "respect": {"gpc": True, "dnt": True}}


def test_the_page_is_kept_and_asked_about(alice: Browser, bob: Browser) -> None:
    first = alice.get("/")
    etag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = alice.get("/", If_None_Match=etag)
    assert (again.status_code, again.get_data()) == (304, b"")
    assert again.headers["Cache-Control"] == "private, no-cache"
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
    assert alice.get("/").headers["ETag"] == etag
    assert bob.get("/", If_None_Match=etag).status_code == 200
    assert alice.send("PATCH", "/api/v1/user", {"name": "Alicia"}).status_code == 200
    assert alice.get("/", If_None_Match=etag).status_code == 200


def test_the_page_changes_with_the_hour_at_most(alice: Browser, runtime: Runtime, clock: Any) -> None:
    clock.now = clock.now.replace(minute=5)
    etag = alice.get("/").headers["ETag"]
    clock.advance(minutes=50)
    assert alice.get("/").headers["ETag"] == etag
    clock.advance(minutes=10)
    assert alice.get("/").headers["ETag"] != etag


def test_head_is_get_without_a_body(alice: Browser) -> None:
    answer = alice.client.head("/")
    assert (answer.status_code, answer.get_data()) == (200, b"")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
