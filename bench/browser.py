"""What telemetry costs the page: the same visits with telemetry off and on, in turns, in real Chromium.

`python -m bench.browser [--visits 12]`. A visit is a first load with an empty cache, then twelve changes of page by
clicks. Long tasks, layout shifts and the time from each click to the next frame come from the browser's own observers
(PerformanceObserver); `script` is the time the main thread spent in scripts, from the DevTools protocol. The machine is
slowed down four times, as a cheap laptop would be. Loopback only.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, StorageState

from bench.report import Table
from tests.support.browser import chromium
from tests.support.ports import free_port
from tests.support.product import KEY, PostHogProcess, Product, settle, sign_in

VISITS = 12
SLOWER = 4
CLICKS = ("Account", "Home") * 6
HEADINGS = {"Account": "Profile", "Home": "Home"}
_OBSERVE = """
window.seen = { long: 0, longs: 0, shift: 0, delays: [] };
const observe = (type, take, more = {}) => new PerformanceObserver((list) => list.getEntries().forEach(take))
  .observe({ type, buffered: true, ...more });
observe("longtask", (task) => { seen.longs += 1; seen.long += task.duration; });
observe("layout-shift", (shift) => { if (!shift.hadRecentInput) seen.shift += shift.value; });
observe("event", (event) => { if (event.name === "click") seen.delays.push([event.processingStart - event.startTime,
  event.duration]); }, { durationThreshold: 16 });
"""


@dataclass(frozen=True)
class Cost:
    """Of one visit: milliseconds; `requests` and `longs` are counted, `shift` is the browser's own score."""

    usable: float
    script: float
    longs: float
    long: float
    shift: float
    delay: float
    frame: float
    requests: float
    bytes: float


def visit(browser: Browser, url: str, state: StorageState) -> Cost:
    context = browser.new_context(storage_state=state, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(_OBSERVE)
    tools = context.new_cdp_session(page)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    tools.send("Performance.enable")
    page.goto(url)
    settle(page, "Home")
    usable = float(page.evaluate("performance.now()"))
    _walk(page)
    page.wait_for_timeout(4000)  # what telemetry does, it has done by then
    measured = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
    seen = page.evaluate("seen")
    asked = page.evaluate("performance.getEntriesByType('resource').map((one) => one.transferSize)")
    context.close()
    delays, frames = zip(*seen["delays"], strict=True) if seen["delays"] else ((0.0,), (0.0,))
    return Cost(
        usable=usable,
        script=measured["ScriptDuration"] * 1000,
        longs=seen["longs"],
        long=seen["long"],
        shift=seen["shift"],
        delay=max(delays),
        frame=median(frames),
        requests=len(asked),
        bytes=sum(asked),
    )


def _walk(page: Page) -> None:
    for name in CLICKS:
        page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
        settle(page, HEADINGS[name])


def report(visits: int) -> Table:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        posthog = PostHogProcess(folder / "posthog.ndjson", free_port())
        posthog.start()
        stack.callback(posthog.stop)
        browser = stack.enter_context(chromium())
        sites = {
            "off": _served(stack, folder / "off", {"local": {"enabled": False}}),
            "local analytics": _served(stack, folder / "local", {"local": {"enabled": True}}),
            "local analytics and PostHog": _served(
                stack, folder / "both", {"local": {"enabled": True}, "posthog": {"apikey": KEY, "apiurl": posthog.url}}
            ),
        }
        states = {name: _signed_in(browser, url) for name, url in sites.items()}
        found: dict[str, list[Cost]] = {name: [] for name in sites}
        for _ in range(visits):
            for name, url in sites.items():
                found[name].append(visit(browser, url, states[name]))
    return _table(found, visits)


def _served(stack: contextlib.ExitStack, home: Path, frontend: dict[str, object]) -> str:
    home.mkdir()
    product = Product(home)
    product.configure(frontend=frontend)
    product.set_up()
    stack.enter_context(product.serve())
    return product.url


def _signed_in(browser: Browser, url: str) -> StorageState:
    context = browser.new_context()
    sign_in(context.new_page(), url)
    state = context.storage_state()
    context.close()
    return state


_HEAD = {
    "usable": "usable ms",
    "script": "script ms",
    "longs": "long tasks",
    "long": "in long tasks ms",
    "shift": "layout shift",
    "delay": "worst input delay ms",
    "frame": "click to frame ms",
    "requests": "requests",
    "bytes": "bytes",
}


def _table(found: dict[str, list[Cost]], visits: int) -> Table:
    table = Table(
        f"A first load, {len(CLICKS)} changes of page; processor slowed {SLOWER} times; the middle of {visits} visits",
        ["telemetry", *_HEAD.values()],
    )
    for name, costs in found.items():
        table.add(name, *(_middle([getattr(cost, each.name) for cost in costs], each.name) for each in fields(Cost)))
    return table


def _middle(values: Sequence[float], name: str) -> str:
    return f"{median(values):,.4f}" if name == "shift" else f"{median(values):,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=VISITS)
    print(report(parser.parse_args().visits))


if __name__ == "__main__":
    main()
