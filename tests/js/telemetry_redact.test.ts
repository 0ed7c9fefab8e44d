import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf, keptQuery, referrerOf, titleOf } from "../../static/js/telemetry/address.ts";
import { allowed } from "../../static/js/telemetry/redact.ts";

test("redact: an address is base and pattern", () => {
  const visit = { pattern: "/team/:team", url: "http://x/team/ABC?token=s&from=2026-01-01#s" };
  assert.deepEqual(addressOf(visit, "https://flow.example/"), {
    $current_url: "https://flow.example/team/:team?from=2026-01-01",
    $pathname: "/team/:team",
    $host: "flow.example",
  });
});

const QUERIES: [string, string][] = [
  ["", ""],
  ["?a=1&b=2", ""],
  ["?from=2026-01-01&to=2026-12-31", "from=2026-01-01&to=2026-12-31"],
  ["?to=2026-12-31&from=2026-01-01", "from=2026-01-01&to=2026-12-31"],
  ["?from=2026-13-01", ""],
  ["?from=2026-01-01%20token", ""],
  ["?from=token", ""],
  ["?From=2026-01-01", ""],
  ["?from=2026-01-01&from=secret", "from=2026-01-01"],
  ["#from=2026-01-01", ""],
];

for (const [query, kept] of QUERIES) {
  test(`redact: of ${query || "no query"} stays ${kept || "nothing"}`, () => {
    assert.equal(keptQuery(`http://x/insights${query}`), kept);
  });
}

const REFERRERS: [string, string, string][] = [
  ["", "$direct", "$direct"],
  ["https://search.example/q?token=s#h", "https://search.example/", "search.example"],
  ["https://user:secret@search.example:8443/a", "https://search.example:8443/", "search.example:8443"],
  ["http://127.0.0.1:3000/team/ABC", "http://127.0.0.1:3000/", "127.0.0.1:3000"],
  ["android-app://com.example/secret", "$direct", "$direct"],
  ["about:client", "$direct", "$direct"],
];

for (const [referrer, address, domain] of REFERRERS) {
  test(`redact: the referrer ${referrer || "(none)"}`, () => {
    assert.deepEqual(referrerOf(referrer), { $referrer: address, $referring_domain: domain });
  });
}

test("redact: a title is the plan's", () => {
  assert.deepEqual(["team", "login", "not_found", "nowhere"].map(titleOf), ["Team", "Sign in", "Not found", ""]);
});

test("redact: only what the plan names passes, and only of its type", () => {
  const uuid = "01a20758-3614-7bf3-9bb2-88ab2f40df6a";
  const given = {
    $browser: "Chrome",
    $browser_version: 156,
    $browser_language: "en-US",
    $os: "https://x/?token=s",
    $os_version: { nested: "secret" },
    $device_type: ["Desktop"],
    $screen_height: Number.NaN,
    $screen_width: "1280",
    $session_id: uuid,
    $device_id: "not a uuid",
    $is_identified: "true",
    $current_url: "http://x/team/ABC?token=s",
    $pathname: "/team/ABC",
    $referrer: "http://x/secret",
    title: "Secret",
    $session_entry_url: "http://x/team/ABC",
    $initial_referrer: "http://x/secret",
    $set_once: { $initial_current_url: "http://x/team/ABC" },
    $ip: "203.0.113.7",
    route: "team",
    view_index: 0,
    engaged_ms: 5,
    app_version: "0.1.0",
    role: "user",
    source: "router",
    anything: "secret",
  };
  const kept = {
    $browser: "Chrome", $browser_version: 156, $browser_language: "en-US", $session_id: uuid,
    route: "team", view_index: 0, app_version: "0.1.0", role: "user", source: "router",
  };
  assert.deepEqual(allowed("$pageview", given), kept);
  assert.deepEqual(allowed("$pageleave", given), { ...kept, engaged_ms: 5 });
});
