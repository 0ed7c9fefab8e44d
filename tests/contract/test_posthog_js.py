"""The real posthog-js, slim and full, with its own settings, in real Chromium against the running server.

The page is the test's; it stands at the server's own origin, as no other origin may read the endpoint's answers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, Route

from tests.support.browser import Trouble, chromium
from tests.support.journey import Caller
from tests.support.product import ROOT, PostHogProcess, Product, both_ends, settle, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DIST = ROOT / "node_modules/posthog-js/dist"
OF_THE_FIXTURE = [
    ("$pageleave", "home"),
    ("$pageview", "home"),
    ("logged in", None),
    ("set-up finished", None),
    ("user registered", None),
]
OF_THE_PLAN = {"$pageview", "$pageleave"}
LEFT = 1
"""What the SDK tells of its own accord when its page is closed."""
PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>Somebody's page</title></head>
<body><button id="press">Press</button><a href="#there">there</a><script type="module">
import { posthog } from "/contract/sdk.js";
window.sent = [];
window.errors = [];
window.posthog = posthog;
const { settings, facts } = await (await fetch("/contract/settings.json")).json();
posthog.init(facts.apikey, {
  api_host: facts.api_host,
  opt_out_useragent_filter: true,
  before_send: (event) => { window.sent.push([event.uuid, event.event]); return event },
  on_request_error: (answer) => window.errors.push(answer.statusCode),
  ...settings,
});
window.ready = true;
</script></body></html>"""


@dataclass
class Stage:
    product: Product
    posthog: PostHogProcess
    browser: Browser
    root: Caller
    facts: dict[str, Any]

    @property
    def counts(self) -> Counter[str]:
        """What has been accepted, and dropped for which reason."""
        counts = self.root.get("admin/telemetry/status")["counts"]
        return Counter({"accepted": counts["accepted"], **counts["dropped"]})


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with (
        chromium() as browser,
        both_ends(tmp_path_factory.mktemp("contract")) as (product, posthog),
        product.serve(),
    ):
        context = browser.new_context()
        root = Caller(context.request, product.url)
        root.sign_in("root")
        page = context.new_page()
        page.goto(product.url)
        facts = json.loads(page.locator("#boot").text_content() or "")["telemetry"]["posthog"]
        settle(page, "Home")
        page.close()
        until(lambda: len(posthog.events) == len(OF_THE_FIXTURE))
        yield Stage(product, posthog, browser, root, facts)
        context.close()


def opened(stage: Stage, module: str, settings: dict[str, Any], requests: list[Request]) -> tuple[Page, Trouble]:
    """A page at the server's origin with the SDK started in it."""
    context = stage.browser.new_context()
    trouble = Trouble(context)
    facts = json.dumps({"settings": settings, "facts": stage.facts})

    def serve(route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[1]
        if name == "sdk.js":
            route.fulfill(body=(DIST / module).read_text("utf-8"), content_type="text/javascript")
        elif name == "settings.json":
            route.fulfill(body=facts, content_type="application/json")
        else:
            route.fulfill(body=PAGE, content_type="text/html")

    context.route(f"{stage.product.url}/contract/*", serve)
    context.on("request", lambda request: requests.append(request) if "/contract/" not in request.url else None)
    page = context.new_page()
    page.goto(f"{stage.product.url}/contract/page")
    until(lambda: page.evaluate("window.ready === true"))
    return page, trouble


USE = """() => {
  posthog.capture("$pageview");
  posthog.capture("bought", {card: "4111"});
  posthog.capture("team created", {team: "t_forged"});
  posthog.identify("alice@plant.example", {email: "alice@plant.example"});
  posthog.group("company", "Plant");
  posthog.capture("$pageview", {distinct_id: "u_forged"});
  posthog.capture("$set", {$set: {email: "alice@plant.example"}});
  posthog.captureException?.(new Error("broken"));
}"""


@pytest.mark.parametrize("defaults", ["unset", "2026-01-30"])
@pytest.mark.parametrize("module", ["module.slim.no-external.js", "module.full.no-external.js"])
def test_events_of_the_plan_arrive_once_and_all_others_are_dropped_for_a_reason(
    stage: Stage, module: str, defaults: str
) -> None:
    before, known = stage.counts, {each["uuid"] for each in stage.posthog.events}
    requests: list[Request] = []
    page, trouble = opened(stage, module, {} if defaults == "unset" else {"defaults": defaults}, requests)
    page.locator("#press").click()
    page.locator("a").click()
    anonymous = page.evaluate("posthog.get_distinct_id()")
    page.evaluate(USE)
    sent = [tuple(one) for one in page.evaluate("window.sent")]
    # The SDK keeps its queue for up to three seconds.
    until(lambda: page.evaluate("0") == 0 and sum((stage.counts - before).values()) >= len(sent))
    assert [tuple(one) for one in page.evaluate("window.sent")] == sent
    assert page.evaluate("window.errors") == []
    answers = [one.response() for one in requests if one.method == "POST"]
    assert {answer.status for answer in answers if answer} == {200}
    context = page.context
    page.close()

    names = Counter(name for _, name in sent)
    assert {"$pageview", "bought", "team created", "$identify"} <= names.keys()
    until(lambda: sum((stage.counts - before).values()) >= len(sent) + LEFT)
    context.close()
    accounted = stage.counts - before
    fresh = until(partial(arrived, stage.posthog, known, accounted["accepted"]))
    assert [each["event"] for each in fresh if each["event"] not in OF_THE_PLAN] == []
    assert {each["uuid"] for each in fresh} <= {uuid for uuid, name in sent if name in OF_THE_PLAN}
    assert len({each["uuid"] for each in fresh}) == len(fresh)
    assert {each["distinct_id"] for each in fresh} == {anonymous}
    assert len(fresh) == accounted["accepted"]
    # After `identify` the SDK speaks for somebody: it has no ticket of theirs.
    views = sum(names[name] for name in OF_THE_PLAN)
    assert accounted["identity_unproven"] == views - len(fresh) + LEFT >= 2
    assert accounted["wrong_side"] == names["team created"] == 1
    assert accounted["unknown_event"] == sum(names.values()) - views - 1
    text = json.dumps(fresh)
    for secret in ("alice@plant", "4111", "forged", "Plant", "Press"):
        assert secret not in text
    assert [message for message in trouble.messages if "PostHog" not in message] == []


def arrived(posthog: PostHogProcess, known: set[str], count: int) -> list[dict[str, Any]] | None:
    fresh = [each for each in posthog.events if each["uuid"] not in known]
    return fresh if len(fresh) >= count else None


def test_nothing_of_it_reaches_the_local_store(stage: Stage) -> None:
    """What an SDK captures on its own account would be a second view of the same page."""
    stored = stage.root.get("insights/live")["events"]
    assert sorted((each["event"], each["route"]) for each in stored) == OF_THE_FIXTURE


def test_its_questions_are_answered_and_it_loads_nothing(stage: Stage) -> None:
    requests: list[Request] = []
    page, trouble = opened(stage, "module.full.no-external.js", {}, requests)
    page.wait_for_timeout(1000)
    statuses = {one.url.removeprefix(stage.facts["api_host"]).split("?")[0]: one.response() for one in requests}
    found = {path: answer.status for path, answer in statuses.items() if answer is not None}
    assert set(found.values()) == {200}, found
    assert page.evaluate("posthog.isFeatureEnabled('anything') ?? null") in (None, False)
    assert [one.url for one in requests if one.resource_type == "script"] == []
    page.context.close()
    assert [message for message in trouble.messages if "PostHog" not in message] == []
