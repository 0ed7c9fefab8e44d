"""Signing in and out over HTTP: cookies, CSRF, throttling, revocation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flowforge_ui.database import reading
from flowforge_ui.factory import Runtime
from flowforge_ui.platform import throttle
from tests.conftest import PASSWORD, Cast, FakeClock
from tests.web.conftest import LOCAL_ON, Browser, Build, cookies_set

PROXIES = LOCAL_ON + "\ntrusted_proxies: [10.0.0.0/8]"


def test_login_gives_a_session_and_new_facts(runtime: Runtime, cast: Cast) -> None:
    browser = Browser(runtime)
    before = browser.open("/").boot
    answer = browser.login("alice")
    assert answer.status_code == 200
    assert list(answer.get_json()) == ["boot"]
    boot = answer.get_json()["boot"]
    assert boot["user"]["id"] == cast.alice.user_id
    assert boot["csrf"] != before["csrf"]
    after = browser.open("/").boot
    assert after == boot
    assert browser.get("/api/v1/csrf").get_json() == {"csrf": boot["csrf"]}


@pytest.mark.parametrize(
    ("base_url", "prefix", "extra"),
    [("http://127.0.0.1:3000", "", set()), ("https://flow.example", "__Host-", {"Secure"})],
)
def test_cookies(make: Build, base_url: str, prefix: str, extra: set[str]) -> None:
    runtime = make(f"base_url: {base_url}\n{LOCAL_ON}")
    browser = Browser(runtime)
    base = {"base_url": base_url}
    page = browser.client.get("/", **base)
    lasting = {"Expires", "Max-Age"}
    common = {"HttpOnly", "Path=/", "SameSite=Lax", *extra}
    assert cookies_set(page) == {f"{prefix}ff_visitor": common}
    csrf = browser.client.get("/api/v1/csrf", **base).get_json()["csrf"]
    body = {"username": "alice", "password": PASSWORD}
    answer = browser.client.post("/account/login", json=body, headers={"X-CSRF-Token": csrf}, **base)
    assert cookies_set(answer) == {f"{prefix}ff_session": common | lasting, f"{prefix}ff_device": common | lasting}
    assert cookies_set(browser.client.get("/", **base)) == {}
    csrf = answer.get_json()["boot"]["csrf"]
    left = browser.client.post("/account/logout", headers={"X-CSRF-Token": csrf}, **base)
    assert cookies_set(left) == {f"{prefix}ff_session": common | lasting}
    assert browser.client.get("/api/v1/user", **base).status_code == 401


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice", "wrong"), ("nobody", PASSWORD), ("", ""), ("alice\u0000", PASSWORD), ("'; --", "x" * 1024)],
)
def test_wrong_credentials_say_nothing_more(runtime: Runtime, cast: Cast, name: str, password: str) -> None:
    answer = Browser(runtime).login(name, password)
    assert (answer.status_code, answer.get_json()) == (
        401,
        {"code": "bad_credentials", "error": "User name or password is wrong."},
    )


def test_logout_ends_the_session_on_the_server(runtime: Runtime, alice: Browser) -> None:
    cookie = alice.client.get_cookie("ff_session")
    assert cookie is not None
    stolen = Browser(runtime)
    stolen.client.set_cookie("ff_session", cookie.value)
    assert stolen.get("/api/v1/user").status_code == 200
    answer = alice.post("/account/logout")
    assert (answer.status_code, answer.get_json()["boot"]["user"]) == (200, None)
    assert stolen.get("/api/v1/user").status_code == 401
    assert alice.post("/account/logout").status_code == 200  # again does no harm


def test_signing_in_again_ends_the_session_before(runtime: Runtime, alice: Browser) -> None:
    cookie = alice.client.get_cookie("ff_session")
    assert cookie is not None
    assert alice.login("bob").get_json()["boot"]["user"]["username"] == "bob"
    before = Browser(runtime)
    before.client.set_cookie("ff_session", cookie.value)
    assert before.get("/api/v1/user").status_code == 401


def test_the_token_of_another_session_is_worth_nothing(alice: Browser, bob: Browser) -> None:
    answer = alice.send("PATCH", "/api/v1/user", {"name": "Eve"}, X_CSRF_Token=bob.csrf)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "csrf")
    assert alice.get("/api/v1/user").get_json()["name"] == "Alice"


def test_a_page_opened_before_the_login_elsewhere_gets_a_fresh_token(alice: Browser) -> None:
    """What the client does on `csrf`: ask for the token, try once more."""
    stale = alice.csrf
    alice.login("alice")
    assert alice.send("PATCH", "/api/v1/user", {"name": "A"}, X_CSRF_Token=stale).status_code == 403
    fresh = alice.get("/api/v1/csrf").get_json()["csrf"]
    assert alice.send("PATCH", "/api/v1/user", {"name": "A"}, X_CSRF_Token=fresh).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:3000", "192.168.1.7:3000"])
def test_other_names_of_the_same_machine_may_sign_in(runtime: Runtime, cast: Cast, host: str) -> None:
    browser = Browser(runtime, Host=host, Origin=f"http://{host}", Sec_Fetch_Site="same-origin")
    assert browser.login("alice").status_code == 200


def test_a_name_nobody_configured_may_not(runtime: Runtime, cast: Cast) -> None:
    answer = Browser(runtime, Host="rebound.example:3000", Origin="http://rebound.example:3000").login("alice")
    assert (answer.status_code, answer.get_json()) == (
        403,
        {"code": "cross_site", "error": "This server answers to http://127.0.0.1:3000 only (base_url)."},
    )


def test_guessing_is_slowed_down(runtime: Runtime, cast: Cast, alice: Browser, clock: FakeClock) -> None:
    attacker = Browser(runtime)
    for _ in range(throttle.PER_ACCOUNT):
        assert attacker.login("alice", "guess").status_code == 401
    refused = attacker.login("alice", PASSWORD)
    assert (refused.status_code, refused.get_json()["code"]) == (429, "too_many_attempts")
    assert refused.headers["Retry-After"] == "900"
    assert attacker.login("bob").status_code == 200
    alice.post("/account/logout")
    assert alice.login("alice").status_code == 200  # this browser has signed in to that account before
    clock.advance(seconds=900)
    assert attacker.login("alice", PASSWORD).status_code == 200


def test_addresses_are_told_apart_behind_a_trusted_proxy_only(make: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "PER_ADDRESS", 3)
    monkeypatch.setattr(throttle, "PER_ACCOUNT", 100)
    for peer, second_is_refused in (("10.0.0.1", False), ("203.0.113.5", True)):
        runtime = make(PROXIES)
        browser = Browser(runtime)
        csrf = browser.get("/api/v1/csrf").get_json()["csrf"]

        def login(address: str, browser: Browser = browser, csrf: str = csrf, peer: str = peer) -> int:
            return browser.client.post(
                "/account/login",
                json={"username": "nobody", "password": "x"},
                headers={"X-CSRF-Token": csrf, "X-Forwarded-For": address},
                environ_overrides={"REMOTE_ADDR": peer},
            ).status_code

        assert [login("198.51.100.1") for _ in range(4)] == [401, 401, 401, 429]
        assert login("198.51.100.2") == (429 if second_is_refused else 401)


def test_a_suspended_user_is_out_at_once(root: Browser, alice: Browser, cast: Cast, runtime: Runtime) -> None:
    path = f"/api/v1/users/{cast.alice.user_id}"
    assert root.send("PATCH", path, {"suspended": True}).get_json()["suspended"] is True
    assert alice.get("/api/v1/user").status_code == 401
    answer = Browser(runtime).login("alice")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "suspended")


def test_sessions_are_listed_and_revoked(signed_in: Callable[[str], Browser], runtime: Runtime) -> None:
    here = Browser(runtime, User_Agent="Here/1")
    there = Browser(runtime, User_Agent="There/1")
    here.login("alice")
    there.login("alice")
    found = here.get("/api/v1/user/sessions").get_json()["sessions"]
    assert {(one["user_agent"], one["current"]) for one in found} == {("Here/1", True), ("There/1", False)}
    (other,) = (one["id"] for one in found if not one["current"])
    charlie = signed_in("charlie")
    assert charlie.send("DELETE", f"/api/v1/user/sessions/{other}").status_code == 404
    assert here.send("DELETE", f"/api/v1/user/sessions/{other}").status_code == 204
    assert there.get("/api/v1/user").status_code == 401
    assert here.get("/api/v1/user").status_code == 200


def test_a_new_password_ends_the_other_sessions(runtime: Runtime, alice: Browser) -> None:
    other = Browser(runtime)
    other.login("alice")
    wrong = alice.send("PUT", "/api/v1/user/password", {"current": "wrong", "new": "a new password"})
    assert (wrong.status_code, wrong.get_json()["fields"]) == (401, {"current": "This is not your password."})
    weak = alice.send("PUT", "/api/v1/user/password", {"current": PASSWORD, "new": "short"})
    assert (weak.status_code, list(weak.get_json()["fields"])) == (400, ["new"])
    done = alice.send("PUT", "/api/v1/user/password", {"current": PASSWORD, "new": "a new password"})
    assert (done.status_code, done.get_data()) == (204, b"")
    assert other.get("/api/v1/user").status_code == 401
    assert alice.get("/api/v1/user").status_code == 200
    assert Browser(runtime).login("alice", "a new password").status_code == 200


def test_use_keeps_a_session_alive(alice: Browser, clock: FakeClock, runtime: Runtime, cast: Cast) -> None:
    for _ in range(3):
        clock.advance(days=13)
        assert alice.get("/").status_code == 200
        assert alice.get("/api/v1/user").status_code == 200
    clock.advance(days=15)
    assert alice.get("/api/v1/user").status_code == 401


def test_a_request_writes_nothing_within_the_minute(alice: Browser, runtime: Runtime) -> None:
    alice.get("/api/v1/user")
    with reading(runtime.house.platform.engine) as tx:
        before = tx.exec_driver_sql("SELECT last_seen_at FROM sessions").scalars().all()
    for path in ("/", "/api/v1/user", "/api/v1/teams"):
        assert alice.get(path).status_code == 200
    with reading(runtime.house.platform.engine) as tx:
        assert tx.exec_driver_sql("SELECT last_seen_at FROM sessions").scalars().all() == before


def test_self_registration(runtime: Runtime, root: Browser) -> None:
    visitor = Browser(runtime)
    body = {"username": "Dora", "password": "long enough", "email": "dora@plant.example"}
    off = visitor.post("/account/register", body)
    assert (off.status_code, off.get_json()["code"]) == (403, "signup_off")
    root.send("PATCH", "/api/v1/settings", {"user:signup": True})
    bad = visitor.post("/account/register", {"username": "D", "password": "x", "email": "no"})
    assert (bad.status_code, sorted(bad.get_json()["fields"])) == (400, ["email", "password", "username"])
    made = visitor.post("/account/register", body)
    assert made.status_code == 201
    assert made.get_json()["boot"]["user"]["username"] == "dora"
    assert visitor.get("/api/v1/user").get_json()["role"] == "user"
    again = Browser(runtime).post("/account/register", body)
    assert (again.status_code, again.get_json()["code"]) == (409, "username_taken")


@pytest.mark.parametrize(("peer", "status"), [("10.0.0.1", 200), ("203.0.113.5", 403)])
def test_a_trusted_proxy_tells_which_host_was_asked_for(make: Build, peer: str, status: int) -> None:
    runtime = make(PROXIES)
    browser = Browser(runtime)
    csrf = browser.get("/api/v1/csrf", Host="backend:3000").get_json()["csrf"]
    headers = {
        "X-CSRF-Token": csrf,
        "Host": "backend:3000",
        "X-Forwarded-Host": "evil.example, localhost:9000",
        "Origin": "http://localhost:9000",
    }
    answer = browser.client.post(
        "/account/login",
        json={"username": "alice", "password": PASSWORD},
        headers=headers,
        environ_overrides={"REMOTE_ADDR": peer},
    )
    assert answer.status_code == status
