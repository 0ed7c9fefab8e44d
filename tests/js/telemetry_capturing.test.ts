import assert from "node:assert/strict";
import { test } from "node:test";

import { createCapturing } from "../../static/js/telemetry/capturing.ts";
import type { Captured } from "../../static/js/telemetry/posthog.ts";
import type { Facts, Identifiers, PageEvent, Told } from "../../static/js/telemetry/types.ts";
import type { Visit } from "../../static/js/visit.ts";

const SESSION = "01a20758-3614-7bf3-9bb2-88ab2f40df6a";
const ANONYMOUS = "01a20758-35de-7f7a-808d-62452af6dd2c";
const FACTS: Facts = {
  apikey: "phc_x", api_host: "http://h/q7", capture_pageview: false, transport: "relay", pageleave: "route",
  person: null, dev: true, local: null,
};

interface Arrived {
  url: string;
  key: string;
  event: string;
  uuid: string;
  properties: Record<string, unknown>;
}

/** An SDK that adds what the real one adds, and more than it should. */
function stage(facts: Partial<Facts> = {}, { automated = false, blocked = 0 } = {}) {
  const arrived: Arrived[] = [];
  const pending: Promise<void>[] = [];
  let take: (captured: Captured) => void = () => assert.fail("the SDK was not opened");
  let opened = 0;
  let closed = 0;
  let adopted: [string, Identifiers] | undefined;
  let loads = 0;
  const timers: (() => void)[] = [];
  let session = SESSION;
  const keep = (url: string, body: Blob): void => {
    pending.push(
      body.text().then((text) => {
        const { api_key: key, batch } = JSON.parse(text) as { api_key: string; batch: Omit<Arrived, "url" | "key">[] };
        for (const { event, uuid, properties } of batch) arrived.push({ url, key, event, uuid, properties });
      }),
    );
  };
  const storage = { length: 0, key: () => null, getItem: () => null, removeItem: () => undefined } as unknown as Storage;
  const told: Told = { events: new Set(), identifiers: new Map() };
  const sink = createCapturing({
    told,
    facts: { ...FACTS, ...facts },
    baseUrl: "https://flow.example",
    page: {
      fetch: (url, init) => {
        keep(url, init.body as Blob);
        return Promise.resolve(Response.json({ status: 1 }));
      },
      sendBeacon: (url, body) => (keep(url, body), true),
      setTimeout: (callback) => timers.push(callback),
      clearTimeout: () => undefined,
      now: () => 5000,
      random: () => 0,
      onLine: () => true,
      referrer: "https://search.example/?q=secret",
      automated,
      storages: () => [storage, storage],
    },
    load: () =>
      (loads += 1) <= blocked
        ? Promise.reject(new Error("blocked"))
        : Promise.resolve({
            openSdk(_: Facts, taking: (captured: Captured) => void, adopts?: [string, Identifiers]) {
              adopted = adopts;
              opened += 1;
              take = taking;
              return {
                capture: ({ name, uuid, at, properties }) => {
                  const more = { distinct_id: ANONYMOUS, $session_id: session, $prev_pageview_id: SESSION, $lib: "web" };
                  take({ uuid, name, properties: { ...properties, ...more }, timestamp: new Date(at) });
                },
                close: () => (closed += 1),
              };
            },
          }),
  });
  return {
    sink,
    arrived,
    counts: () => [opened, closed],
    taken: (captured: Captured) => take(captured),
    loads: () => loads,
    told,
    adopted: () => adopted,
    /** Lets all timers fire. */
    pass: () => timers.splice(0).forEach((callback) => callback()),
    rotate: (next: string) => (session = next),
    async settle() {
      for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
      await Promise.all(pending);
    },
  };
}

function pageEvent(name: PageEvent["name"], change: Partial<PageEvent> = {}): PageEvent {
  const visit = { id: "view-1", route: "team", pattern: "/team/:team", url: "http://x/team/ABC?token=s" } as unknown as Visit;
  return {
    name, uuid: name === "$pageview" ? "view-1" : "leave-1", at: 4000, visit,
    bearer: { person: { distinct_id: "u_alice", ticket: "ticket" }, role: "user" },
    properties: { route: "team", view_id: "view-1", source: "router" },
    ended: name === "$pageview" ? null : { view_id: "view-1", route_pattern: "/team/:team", total_ms: 1500, scroll_depth: 0.5 },
    final: false,
    ...change,
  } as PageEvent;
}

const PLACE = {
  $current_url: "https://flow.example/team/:team", $pathname: "/team/:team", $host: "flow.example", title: "Team",
  $referrer: "https://search.example/", $referring_domain: "search.example",
};
const OWN = {
  ...PLACE, $lib: "web", $session_id: SESSION, $pageview_id: "view-1", route: "team", view_id: "view-1", source: "router",
  distinct_id: "u_alice", $process_person_profile: true, $is_identified: true, token: "phc_x", ticket: "ticket",
};
const BEFORE = {
  $prev_pageview_id: "view-1", $prev_pageview_pathname: "/team/:team", $prev_pageview_duration: 1.5,
  $prev_pageview_max_scroll_percentage: 0.5,
};

test("capturing: what leaves is what the plan and this page say, not what the SDK adds", async () => {
  const { sink, arrived, settle } = stage();
  sink.record(pageEvent("$pageview"));
  sink.record(pageEvent("$pageleave"));
  await settle();
  assert.deepEqual(arrived, [
    { url: "http://h/q7/e/", key: "phc_x", event: "$pageview", uuid: "view-1", properties: OWN },
    { url: "http://h/q7/e/", key: "phc_x", event: "$pageleave", uuid: "leave-1", properties: { ...OWN, ...BEFORE } },
  ]);
});

test("capturing: a new session has no view before", async () => {
  const { sink, arrived, settle, rotate } = stage();
  sink.record(pageEvent("$pageview"));
  await settle();
  rotate(ANONYMOUS);
  sink.record(pageEvent("$pageleave"));
  await settle();
  assert.deepEqual(arrived[1]?.properties, { ...OWN, $session_id: ANONYMOUS });
});

test("capturing: nobody is the SDK's anonymous somebody, without a ticket", async () => {
  const { sink, arrived, settle } = stage();
  sink.record(pageEvent("$pageview", { bearer: { person: null, role: "anonymous" } }));
  await settle();
  const { ticket: _, ...rest } = OWN;
  const nobody = { ...rest, distinct_id: ANONYMOUS, $process_person_profile: false, $is_identified: false };
  assert.deepEqual(arrived[0]?.properties, nobody);
});

test("capturing: a direct PostHog is not shown the ticket, this server beside it is", async () => {
  const local = { apikey: "local", api_host: "http://here/x" };
  const { sink, arrived, settle } = stage({ transport: "direct", local });
  sink.record(pageEvent("$pageview"));
  await settle();
  const { ticket: _, ...rest } = OWN;
  assert.deepEqual(arrived.map(({ url, key, properties }) => [url, key, properties]), [
    ["http://h/q7/e/", "phc_x", rest],
    ["http://here/x/e/", "local", { ...OWN, token: "local" }],
  ]);
});

test("capturing: the SDK's own views pass as its own, its other events never", async () => {
  const { sink, arrived, settle, taken } = stage({ capture_pageview: true });
  sink.record(pageEvent("$pageview"));
  await settle();
  for (const name of ["$identify", "$set", "$groupidentify", "$opt_in", "$autocapture", "anything", "$pageview"]) {
    const properties = { distinct_id: ANONYMOUS, $current_url: "http://x/team/ABC?token=s", $set_once: { a: 1 }, title: "Secret" };
    taken({ uuid: `sdk-${name}`, name, properties, timestamp: undefined });
  }
  await settle();
  assert.equal(arrived.length, 2);
  const { $lib: _, $session_id: __, $pageview_id: ___, route: ____, view_id: _____, source: ______, ...common } = OWN;
  assert.deepEqual(arrived[1], {
    url: "http://h/q7/e/", key: "phc_x", event: "$pageview", uuid: "sdk-$pageview", properties: common,
  });
});

test("capturing: a page that goes before the SDK has come tells all the same, once", async () => {
  const { sink, arrived, settle } = stage();
  sink.record(pageEvent("$pageview"));
  sink.record(pageEvent("$pageleave", { final: true }));
  sink.flush(true);
  await settle();
  assert.deepEqual(arrived.map(({ event, uuid }) => [event, uuid]), [["$pageview", "view-1"], ["$pageleave", "leave-1"]]);
  const [view, leave] = arrived.map(({ properties }) => properties);
  assert.equal(view?.["$session_id"], leave?.["$session_id"]);
  assert.deepEqual({ ...leave, $session_id: SESSION }, { ...OWN, ...BEFORE });
});

test("capturing: a page that is hidden before the SDK has come tells, and nothing twice", async () => {
  const { sink, arrived, settle, told, adopted } = stage();
  sink.record(pageEvent("$pageview"));
  sink.flush(false);
  sink.flush(true);
  await settle();
  sink.wake();
  sink.record(pageEvent("$pageview"));
  sink.record(pageEvent("$pageleave"));
  await settle();
  assert.deepEqual(arrived.map(({ event, uuid }) => [event, uuid]), [["$pageview", "view-1"], ["$pageleave", "leave-1"]]);
  const [view] = arrived;
  assert.deepEqual(adopted()?.[0], "u_alice");
  assert.equal(adopted()?.[1].session, view?.properties["$session_id"]);
  sink.stop("forget");
  assert.equal(told.identifiers.size, 0);
});

test("capturing: what waited for the SDK keeps its bearer", async () => {
  const { sink, arrived, settle } = stage();
  sink.record(pageEvent("$pageview", { bearer: { person: null, role: "anonymous" } }));
  sink.record(pageEvent("$pageleave"));
  await settle();
  assert.deepEqual(arrived.map(({ properties }) => properties["distinct_id"]), [ANONYMOUS, "u_alice"]);
});

test("capturing: hundreds of views wait for a slow SDK", async () => {
  const { sink, arrived, settle } = stage();
  for (let number = 0; number < 300; number += 1) {
    const visit = { ...pageEvent("$pageview").visit, id: `view-${number}` };
    sink.record(pageEvent("$pageview", { visit, uuid: `view-${number}` }));
    sink.record(pageEvent("$pageleave", { visit, uuid: `leave-${number}` }));
  }
  for (let turn = 0; turn < 5; turn += 1) await settle();
  assert.equal(arrived.length, 600);
});

test("capturing: the SDK is opened for the first event, not before", async () => {
  const { sink, settle, counts } = stage();
  await settle();
  assert.deepEqual(counts(), [0, 0]);
  sink.record(pageEvent("$pageview"));
  sink.record(pageEvent("$pageleave"));
  await settle();
  assert.deepEqual(counts(), [1, 0]);
});

test("capturing: where the SDK is kept out, nothing is told, after a few tries nor before", async () => {
  const { sink, arrived, settle, pass, loads } = stage({}, { blocked: Infinity });
  sink.record(pageEvent("$pageview"));
  for (let turn = 0; turn < 6; turn += 1) {
    await settle();
    sink.flush(true);
    pass();
  }
  sink.record(pageEvent("$pageleave", { final: true }));
  await settle();
  assert.deepEqual([arrived, loads()], [[], 4]);
});

test("capturing: an SDK that did not come is fetched again, and misses nothing", async () => {
  const { sink, arrived, settle, pass } = stage({}, { blocked: 2 });
  sink.record(pageEvent("$pageview"));
  await settle();
  sink.flush(false);
  pass();
  await settle();
  sink.record(pageEvent("$pageleave"));
  pass();
  await settle();
  assert.deepEqual(arrived.map(({ event }) => event), ["$pageview", "$pageleave"]);
});

test("capturing: stopped, an SDK that did not come is not fetched again", async () => {
  const { sink, settle, pass, loads } = stage({}, { blocked: 1 });
  sink.record(pageEvent("$pageview"));
  await settle();
  sink.stop("keep");
  pass();
  await settle();
  assert.equal(loads(), 1);
});

test("capturing: a browser under remote control is no visitor", async () => {
  const { sink, arrived, settle, counts } = stage({ dev: false }, { automated: true });
  sink.record(pageEvent("$pageview"));
  sink.record(pageEvent("$pageleave", { final: true }));
  await settle();
  assert.deepEqual([arrived, counts()], [[], [0, 0]]);
});

test("capturing: stopped for good, it does not even open the SDK", async () => {
  const { sink, arrived, settle, counts } = stage();
  sink.record(pageEvent("$pageview"));
  sink.stop("forget");
  await settle();
  sink.record(pageEvent("$pageleave", { final: true }));
  await settle();
  assert.deepEqual([arrived, counts()], [[], [0, 0]]);
});

test("capturing: stopped with what there is kept, that still arrives", async () => {
  const { sink, arrived, settle, counts } = stage();
  sink.record(pageEvent("$pageview"));
  await settle();
  sink.record(pageEvent("$pageleave"));
  sink.stop("keep");
  await settle();
  assert.deepEqual(arrived.map(({ event }) => event), ["$pageview", "$pageleave"]);
  assert.deepEqual(counts(), [1, 1]);
});
