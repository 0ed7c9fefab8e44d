"""The real posthog-python against the capture endpoint, over real HTTP: all its events, exactly once."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.request import urlopen

import pytest
from posthog.client import Client
from sqlalchemy import Engine
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

import flowforge_ui
from flowforge_ui.telemetry.capture import CaptureRequest
from flowforge_ui.telemetry.event import utc_now
from flowforge_ui.telemetry.plan import Plan
from tests.support.capture import ALICE, ANONYMOUS, KEY, Endpoint, endpoint, ticket
from tests.support.product import KEY as PRODUCT_KEY
from tests.support.product import both_ends, until

PREFIX = "/x7f3a9"


@contextmanager
def served(site: Endpoint, answers: Callable[[CaptureRequest], Response | None] = lambda _: None) -> Iterator[str]:
    """The endpoint below its prefix; `answers` may answer in its place. Yields what `host` is set to."""

    @Request.application
    def app(request: Request) -> Response:
        path = request.path.removeprefix(PREFIX)
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = CaptureRequest(request.method, path, request.get_data(), headers, request.args.to_dict())
        if (other := answers(asked)) is not None:
            return other
        answer = site.capture.handle(asked)
        return Response(answer.body, answer.status, dict(answer.headers))

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}{PREFIX}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site(engine: Engine) -> Endpoint:
    return endpoint(engine, Plan.load(Path(flowforge_ui.__file__).parent / "plan"), utc_now)


def views(client: Client, count: int, distinct_id: str = ANONYMOUS) -> list[str]:
    uuids = []
    for index in range(count):
        uuid = client.capture(
            "$pageview",
            distinct_id=distinct_id,
            properties={"route": "home", "view_index": index, "secret": "s3cr3t"},
            timestamp=datetime.now(UTC),
        )
        assert uuid is not None
        uuids.append(uuid)
    return uuids


@pytest.mark.parametrize("gzip", [False, True])
def test_all_its_events_exactly_once(site: Endpoint, gzip: bool) -> None:
    with served(site) as host:
        client = Client(KEY, host=host, gzip=gzip, flush_at=40, flush_interval=0.1)
        uuids = views(client, 250)
        client.shutdown()
    assert sorted(event.uuid for event in site.stored) == sorted(uuids)
    assert site.counts == {"accepted": {"browser": 250}}
    assert [event.properties["view_index"] for event in site.stored] == list(range(250))


def test_what_it_adds_is_removed_and_its_time_is_kept(site: Endpoint) -> None:
    before = int(datetime.now(UTC).timestamp() * 1000)
    with served(site) as host:
        client = Client(KEY, host=host, flush_at=1)
        client.capture(
            "$pageleave",
            distinct_id=ALICE,
            properties={
                "ticket": ticket(at=datetime.now(UTC)),
                "route": "team",
                "engaged_ms": 1200,
                "$set": {"email": "alice@plant.example"},
                "$current_url": "http://127.0.0.1:3000/team/3f9a?token=s3cr3t",
            },
        )
        client.shutdown()
    (event,) = site.stored
    assert event.distinct_id == ALICE
    machine = {"$os", "$os_version", "$lib_version"}
    assert {name: value for name, value in event.properties.items() if name not in machine} == {
        "$current_url": "https://flows.example/team/:team",
        "$is_identified": True,
        "$lib": "posthog-python",
        "$process_person_profile": True,
        "app_version": "0.9.0",
        "engaged_ms": 1200,
        "role": "user",
        "route": "team",
    }
    assert before - 1000 <= event.timestamp <= event.recorded_at + 1000


def test_a_batch_whose_answer_was_lost_is_sent_again_and_kept_once(site: Endpoint) -> None:
    """The server commits and the answer never arrives: the SDK repeats the batch."""
    lost: list[int] = []

    def first_answers_are_lost(request: CaptureRequest) -> Response | None:
        if len(lost) < 2:
            lost.append(site.capture.handle(request).status)
            return Response("bad gateway", 502)
        return None

    with served(site, first_answers_are_lost) as host:
        client = Client(KEY, host=host, flush_at=50, max_retries=5, flush_interval=0.1)
        uuids = views(client, 50)
        client.shutdown()
    assert lost == [200, 200]
    assert sorted(event.uuid for event in site.stored) == sorted(uuids)
    assert site.counts["accepted"] == {"browser": 50}
    assert site.counts["dropped"].keys() == {"duplicate"}


def test_a_wrong_key_is_told_and_nothing_is_stored(site: Endpoint) -> None:
    errors: list[str] = []
    with served(site) as host:
        client = Client(
            "phc_other", host=host, flush_at=5, max_retries=0, on_error=lambda error, _: errors.append(str(error))
        )
        views(client, 5)
        client.shutdown()
    assert site.stored == []
    assert len(errors) == 1
    assert "(401)" in errors[0]


def test_its_other_calls_do_no_harm(site: Endpoint) -> None:
    """`set`, `alias`, `group_identify`, feature flags: answered, and nothing of them is kept."""
    with served(site) as host:
        client = Client(KEY, host=host, flush_at=1)
        client.set(distinct_id=ANONYMOUS, properties={"email": "alice@plant.example"})
        client.alias("alice@plant.example", ANONYMOUS)
        client.group_identify("team", "Plant", {"size": 3})
        client.capture("$pageview", distinct_id="alice@plant.example")
        assert client.get_all_flags(ANONYMOUS) == {}
        client.shutdown()
    assert site.stored == []
    assert site.counts == {"dropped": {"unknown_event": 3, "identity_unproven": 1}}


def test_against_the_running_server_and_on_to_posthog(tmp_path: Path) -> None:
    with both_ends(tmp_path) as (product, posthog), product.serve() as running:
        client = Client(PRODUCT_KEY, host=api_host(product.url), flush_at=40, flush_interval=0.1)
        uuids = views(client, 250)
        client.capture("$pageview", distinct_id="u_somebody", properties={"route": "home"})
        client.shutdown()
        until(lambda: len(posthog.events) >= 252)
        assert running.stop() == 0
    taken = posthog.events
    acts = [each["uuid"] for each in taken if each["event"] in {"user registered", "set-up finished"}]
    assert len(acts) == 2
    assert sorted(each["uuid"] for each in taken) == sorted(uuids + acts)
    assert "s3cr3t" not in json.dumps(taken)
    # What is not told by a page's own router stays out of the local store.
    assert [str(row["uuid"]) for row in product.stored()] == acts


def api_host(url: str) -> str:
    """The endpoint as a page is told of it."""
    with urlopen(url) as answer:
        boot = re.search(r'<script type="application/json" id="boot">(.*?)</script>', answer.read().decode())
    assert boot is not None
    return str(json.loads(unescape(boot[1]))["telemetry"]["posthog"]["api_host"])
