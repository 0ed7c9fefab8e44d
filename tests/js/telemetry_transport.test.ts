import assert from "node:assert/strict";
import { test } from "node:test";

import { WAITING_MAX } from "../../static/js/telemetry/transport.ts";
import { HANG, OK, event, opened, status, type Behaviour } from "./transport_page.ts";

test("transport: an event goes at once, as PostHog's own SDK would send it", async () => {
  const { page, transport } = opened();
  transport.send(event("a"));
  await page.settle();
  assert.deepEqual(page.sent, [
    {
      how: "fetch",
      url: "http://h/q7/e/",
      body: { api_key: "phc_x", batch: [event("a")], sent_at: new Date(1_000_000).toISOString() },
    },
  ]);
});

test("transport: events of one task go together, later ones wait for their turn", async () => {
  const { page, transport } = opened();
  transport.send(event("a"));
  transport.send(event("b"));
  await Promise.resolve();
  transport.send(event("c"));
  transport.send(event("d"));
  await page.settle();
  assert.deepEqual(page.names(), [["a", "b"], ["c", "d"]]);
});

test("transport: what hangs holds one connection, is given up and tried again", async () => {
  const { page, transport } = opened();
  page.behave = HANG;
  transport.send(event("a"));
  await page.settle();
  for (const name of ["b", "c", "d"]) {
    transport.send(event(name));
    await page.settle();
  }
  assert.deepEqual(page.names(), [["a"]]);
  page.behave = OK;
  await page.pass(60_000);
  assert.deepEqual(page.names(), [["a"], ["a", "b", "c", "d"]]);
  assert.equal(page.timers.size, 0);
});

const OUTAGES: [string, Behaviour][] = [
  ["an overloaded server", status(503)],
  ["a server that is too busy", status(429)],
  ["no network", () => Promise.reject(new TypeError("Failed to fetch"))],
];

for (const [name, behaviour] of OUTAGES) {
  test(`transport: an outage of a day loses nothing, and is asked about every few minutes: ${name}`, async () => {
    const { page, transport } = opened();
    page.behave = behaviour;
    transport.send(event("a"));
    await page.pass(24 * 3_600_000);
    assert.ok(page.sent.length > 24 * 12 && page.sent.length < 24 * 12 + 10, String(page.sent.length));
    page.behave = OK;
    const before = page.sent.length;
    await page.pass(300_000);
    assert.deepEqual(page.names().slice(before), [["a"]]);
    assert.equal(page.timers.size, 0);
  });
}

test("transport: memory is bounded, the oldest go", async () => {
  const { page, transport } = opened();
  page.online = false;
  for (let number = 0; number < WAITING_MAX + 50; number += 1) transport.send(event(`e${number}`));
  page.online = true;
  transport.wake();
  await page.settle();
  const arrived = page.names().flat();
  assert.equal(arrived.length, WAITING_MAX);
  assert.equal(arrived[0], "e50");
});

test("transport: nothing is tried while offline, and the tries are not used up", async () => {
  const { page, transport } = opened();
  page.online = false;
  transport.send(event("a"));
  await page.pass(3_600_000);
  assert.equal(page.sent.length, 0);
  page.online = true;
  transport.wake();
  await page.settle();
  assert.deepEqual(page.names(), [["a"]]);
});

for (const code of [400, 401, 404, 413]) {
  test(`transport: ${code} is final`, async () => {
    const { page, transport } = opened();
    page.behave = status(code);
    transport.send(event("a"));
    await page.pass(3_600_000);
    assert.equal(page.sent.length, 1);
  });
}

for (const code of [408, 429, 500, 502, 503]) {
  test(`transport: ${code} passes`, async () => {
    const { page, transport } = opened();
    page.behave = status(code);
    transport.send(event("a"));
    await page.settle();
    page.behave = OK;
    await page.pass(10_000);
    assert.deepEqual(page.names(), [["a"], ["a"]]);
  });
}

const STRANGE: [string, Behaviour][] = [
  ["a page of a captive portal", () => Promise.resolve(new Response("<html>", { status: 200 }))],
  ["a text", () => Promise.resolve(Response.json("ok"))],
  ["204", () => Promise.resolve(new Response(null, { status: 204 }))],
  ["no answer", () => Promise.reject(new TypeError("Failed to fetch"))],
];

for (const [name, behaviour] of STRANGE) {
  test(`transport: ${name} is no success`, async () => {
    const { page, transport } = opened();
    page.behave = behaviour;
    transport.send(event("a"));
    await page.settle();
    page.behave = OK;
    await page.pass(10_000);
    assert.deepEqual(page.names(), [["a"], ["a"]]);
  });
}

test("transport: Retry-After is kept, within bounds", async () => {
  const { page, transport } = opened();
  page.behave = status(503, { "Retry-After": "30" });
  transport.send(event("a"));
  await page.pass(29_000);
  assert.equal(page.sent.length, 1);
  page.behave = status(503, { "Retry-After": "999999" });
  await page.pass(2_000);
  assert.equal(page.sent.length, 2);
  page.behave = OK;
  await page.pass(300_000);
  assert.equal(page.sent.length, 3);
});

test("transport: a limited quota is a pause of a minute", async () => {
  const { page, transport } = opened();
  page.behave = () => Promise.resolve(Response.json({ status: 1, quota_limited: ["events"] }));
  transport.send(event("a"));
  await page.pass(59_000);
  assert.equal(page.sent.length, 1);
  page.behave = OK;
  await page.pass(2_000);
  assert.equal(page.sent.length, 2);
});
