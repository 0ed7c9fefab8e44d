"""The first run, over HTTP."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from flowforge_ui.database import reading
from flowforge_ui.factory import Runtime
from flowforge_ui.platform import settings
from tests.web.conftest import LOCAL_ON, Browser, Build, Shell

ADMIN = {"username": "root", "password": "correct horse"}


def names(runtime: Runtime) -> list[str]:
    return [one.event.name for one in runtime.house.outbox.recent()]


def test_three_steps(make: Build) -> None:
    runtime = make(empty=True)
    browser = Browser(runtime)
    assert browser.open("/setup").boot["setup"] == {
        "finished": False,
        "step": "admin",
        "signup": False,
        "telemetry": {"value": True, "locked": False, "explanation": ""},
        "local_analytics": {"value": False, "locked": False, "explanation": ""},
    }
    made = browser.post("/setup/admin", ADMIN)
    assert made.status_code == 201
    boot = made.get_json()["boot"]
    assert (boot["user"]["role"], boot["setup"]["step"]) == ("admin", "options")
    early = browser.post("/setup/finish")
    assert (early.status_code, early.get_json()["code"]) == (409, "setup_unfinished")
    chosen = browser.post("/setup/options", {"telemetry": False, "local_analytics": True})
    assert (chosen.status_code, chosen.get_json()) == (200, {"telemetry": False, "local_analytics": True})
    facts = browser.open("/setup").boot["setup"]
    assert (facts["step"], facts["telemetry"]["value"], facts["local_analytics"]["value"]) == ("finish", False, True)
    assert names(runtime) == []
    done = browser.post("/setup/finish")
    assert (done.status_code, done.get_json()["boot"]["setup"]["finished"]) == (200, True)
    assert done.get_json()["boot"]["telemetry"]["posthog"] is not None
    assert browser.get("/setup").status_code == 404
    assert browser.get("/").status_code == 200
    recorded = list(runtime.house.outbox.recent())
    told = [(one.event.name, dict(one.sinks)) for one in recorded]
    assert told == [("set-up finished", {"local": "pending"}), ("user registered", {"local": "pending"})]
    assert len({one.event.distinct_id for one in recorded}) == 1
    own = {"telemetry", "local_analytics", "how"}
    assert [{k: v for k, v in one.event.properties.items() if k in own} for one in recorded] == [
        {"telemetry": False, "local_analytics": True},
        {"how": "setup"},
    ]


@pytest.mark.parametrize(
    ("text", "wish", "answered", "stored"),
    [
        (LOCAL_ON, (True, False), (True, True), (True, None)),
        ("telemetry: {enabled: false}", (True, True), (False, True), (None, True)),
        (LOCAL_ON, (False, False), (False, True), (False, None)),
        ("", (False, True), (False, True), (False, True)),
    ],
)
def test_what_the_configuration_has_decided_is_nobodys_choice(
    make: Build, text: str, wish: tuple[bool, bool], answered: tuple[bool, bool], stored: tuple[bool | None, ...]
) -> None:
    """Or else it would stay on, as the administrator's own wish, when the line is taken out of the file again."""
    runtime = make(text, empty=True)
    browser = Browser(runtime)
    browser.post("/setup/admin", ADMIN)
    answer = browser.post("/setup/options", {"telemetry": wish[0], "local_analytics": wish[1]})
    assert (answer.status_code, tuple(answer.get_json().values())) == (200, answered)
    assert browser.post("/setup/finish").status_code == 200
    with reading(runtime.house.platform.engine) as tx:
        chosen = settings.read(tx)
    assert (chosen.telemetry_enabled, chosen.local_analytics) == stored
    # What is recorded of it is what is on.
    recorded = runtime.house.outbox.recent()[0].event
    told = (recorded.properties["telemetry"], recorded.properties["local_analytics"])
    assert (recorded.name, told) == ("set-up finished", answered)


def test_after_the_end_every_step_is_refused(runtime: Runtime, root: Browser) -> None:
    for path, body in (
        ("/setup/admin", ADMIN | {"username": "eve"}),
        ("/setup/options", {"telemetry": True, "local_analytics": True}),
        ("/setup/finish", None),
    ):
        answer = root.post(path, body)
        assert (path, answer.status_code, answer.get_json()["code"]) == (path, 409, "setup_finished")


def test_of_two_at_once_one_wins_and_the_other_is_told(make: Build) -> None:
    runtime = make(empty=True)
    answers: list[tuple[int, Any]] = []
    browsers = [Browser(runtime) for _ in range(4)]
    for browser in browsers:
        browser.open("/setup")
    together = threading.Barrier(len(browsers))

    def race(number: int) -> None:
        together.wait()
        answer = browsers[number].post("/setup/admin", ADMIN | {"username": f"root{number}"})
        answers.append((answer.status_code, answer.get_json().get("code")))

    threads = [threading.Thread(target=race, args=(number,)) for number in range(len(browsers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers, key=str) == [(201, None)] + [(409, "setup_admin_exists")] * 3


def test_the_administrator_may_come_back_later(make: Build) -> None:
    runtime = make(empty=True)
    assert Browser(runtime).post("/setup/admin", ADMIN).status_code == 201
    later = Browser(runtime)
    assert later.open("/setup").boot["setup"]["step"] == "options"
    refused = later.post("/setup/options", {"telemetry": True, "local_analytics": False})
    assert (refused.status_code, refused.get_json()["code"]) == (401, "not_signed_in")
    assert later.login("root", ADMIN["password"]).status_code == 200
    assert later.post("/setup/options", {"telemetry": True, "local_analytics": False}).status_code == 200


def test_a_page_of_another_site_cannot_set_it_up(make: Build) -> None:
    """Anybody can point a name at this machine: a page under such a name is another site."""
    runtime = make(empty=True)
    page = Browser(runtime, Host="rebound.example", Origin="http://rebound.example", Sec_Fetch_Site="same-origin")
    answer = page.post("/setup/admin", ADMIN)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "cross_site")


@pytest.mark.parametrize(
    ("text", "environ", "telemetry", "local"),
    [
        ("", {}, (True, False, ""), (False, False, "")),
        (LOCAL_ON, {}, (True, False, ""), (True, True, "It is switched on. Decided by flowforge.yml:1.")),
        (
            "telemetry: {enabled: false}",
            {},
            (False, True, "Nothing leaves this platform. Decided by flowforge.yml:1."),
            (False, False, ""),
        ),
        (
            "",
            {"DO_NOT_TRACK": "1", "FLOWFORGE_TELEMETRY__FRONTEND__LOCAL__ENABLED": "false"},
            (False, True, "Nothing leaves this platform. Decided by DO_NOT_TRACK."),
            (
                False,
                True,
                "It is switched off. Decided by FLOWFORGE_TELEMETRY__FRONTEND__LOCAL__ENABLED.",
            ),
        ),
    ],
)
def test_what_the_configuration_has_decided_is_locked_and_explained(
    make: Build,
    text: str,
    environ: dict[str, str],
    *,
    telemetry: tuple[bool, bool, str],
    local: tuple[bool, bool, str],
) -> None:
    facts = Shell(Browser(make(text, environ, empty=True)).get("/setup").get_data(as_text=True)).boot["setup"]
    assert tuple(facts["telemetry"].values()) == telemetry
    assert tuple(facts["local_analytics"].values()) == local
