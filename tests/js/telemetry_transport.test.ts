import assert from "node:assert/strict";
import { test } from "node:test";

import { Transport, WAITING_MAX, type WireEvent } from "../../static/js/telemetry/transport.ts";

interface Sent {
  how: "fetch" | "beacon";
  url: string;
  body: { api_key: string; batch: WireEvent[]; sent_at: string };
}

type Behaviour = (signal: AbortSignal) => Promise<Response>;

const OK: Behaviour = () => Promise.resolve(Response.json({ status: 1 }));
const status = (code: number, headers: Record<string, string> = {}): Behaviour => () =>
  Promise.resolve(new Response("no", { status: code, headers }));
const HANG: Behaviour = (signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));

/** A page whose network and time are in our hands. */
class FakePage {
  sent: Sent[] = [];
  behave: Behaviour = OK;
  beaconFull = false;
  online = true;
  time = 1_000_000;
  timers = new Map<number, { at: number; callback: () => void }>();
  #next = 1;
  #bodies: Promise<void> = Promise.resolve();

  #note(how: Sent["how"], url: string, body: Blob): void {
    this.#bodies = this.#bodies.then(async () => void this.sent.push({ how, url, body: JSON.parse(await body.text()) }));
  }

  fetch = (url: string, init: RequestInit): Promise<Response> => {
    assert.deepEqual([init.method, init.keepalive, (init.body as Blob).type], ["POST", true, "text/plain"]);
    this.#note("fetch", url, init.body as Blob);
    return this.behave(init.signal as AbortSignal);
  };
  sendBeacon = (url: string, body: Blob): boolean => {
    if (!this.beaconFull) this.#note("beacon", url, body);
    return !this.beaconFull;
  };
  setTimeout = (callback: () => void, milliseconds: number): number => {
    this.timers.set(this.#next, { at: this.time + milliseconds, callback });
    return this.#next++;
  };
  clearTimeout = (timer: number): void => void this.timers.delete(timer);
  now = () => this.time;
  random = () => 1;
  onLine = () => this.online;

  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
    await this.#bodies;
  }

  async pass(milliseconds: number): Promise<void> {
    await this.settle();
    const end = this.time + milliseconds;
    for (;;) {
      const due = [...this.timers].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].callback();
      await this.settle();
    }
    this.time = end;
  }

  names(): string[][] {
    return this.sent.map(({ body }) => body.batch.map(({ uuid }) => uuid));
  }
}

function event(uuid: string, size = 10): WireEvent {
  return { uuid, event: "$pageview", properties: { text: "x".repeat(size) }, timestamp: "2026-01-01T00:00:00.000Z" };
}

function opened(): { page: FakePage; transport: Transport } {
  const page = new FakePage();
  return { page, transport: new Transport({ api_host: "http://h/q7/", apikey: "phc_x" }, page) };
}

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

test("transport: at the end everything goes by beacon, and nothing twice", async () => {
  const { page, transport } = opened();
  page.behave = HANG;
  transport.send(event("a"));
  await page.settle();
  transport.send(event("b"));
  transport.send(event("c"));
  transport.flush(true);
  transport.flush(true);
  transport.flush(false);
  await page.settle();
  assert.deepEqual(page.sent.map(({ how }) => how), ["fetch", "beacon"]);
  assert.deepEqual(page.names(), [["a"], ["b", "c"]]);
});

test("transport: a request that fails because the page goes is not repeated", async () => {
  const { page, transport } = opened();
  let fail = (_: Error): void => undefined;
  page.behave = () => new Promise((_, reject) => (fail = reject));
  transport.send(event("a"));
  await page.settle();
  transport.flush(true);
  fail(new TypeError("Failed to fetch"));
  transport.flush(false);
  await page.pass(60_000);
  assert.deepEqual(page.names(), [["a"]]);
});

test("transport: what may have been lost goes again, once by beacon and once when the page is back", async () => {
  const { page, transport } = opened();
  page.behave = status(500);
  transport.send(event("a"));
  await page.settle();
  transport.flush(true);
  transport.flush(false);
  await page.settle();
  page.behave = OK;
  transport.wake();
  await page.settle();
  assert.deepEqual(page.sent.map(({ how }) => how), ["fetch", "beacon", "fetch"]);
  assert.deepEqual(page.names(), [["a"], ["a"], ["a"]]);
});

test("transport: a request that is stuck goes again by beacon", async () => {
  const { page, transport } = opened();
  page.behave = HANG;
  transport.send(event("a"));
  await page.settle();
  page.time += 5_000;
  transport.flush(true);
  await page.settle();
  assert.deepEqual(page.sent.map(({ how }) => how), ["fetch", "beacon"]);
});

test("transport: a browser that takes no more beacons leaves events waiting", async () => {
  const { page, transport } = opened();
  page.online = false;
  transport.send(event("a"));
  page.beaconFull = true;
  transport.flush(false);
  await page.settle();
  assert.equal(page.sent.length, 0);
  page.online = true;
  transport.wake();
  await page.settle();
  assert.deepEqual(page.names(), [["a"]]);
});

test("transport: bodies stay below what a browser delivers after its page", async () => {
  const { page, transport } = opened();
  page.online = false;
  for (let number = 0; number < 10; number += 1) transport.send(event(`e${number}`, 12_000));
  transport.flush(true);
  await page.settle();
  assert.deepEqual(page.names(), [["e0", "e1"], ["e2", "e3"], ["e4", "e5"], ["e6", "e7"], ["e8", "e9"]]);
});

test("transport: a request that fails while the page sleeps goes again when it is back", async () => {
  const { page, transport } = opened();
  let answer = (_: Response): void => undefined;
  page.behave = () => new Promise((resolve) => (answer = resolve));
  transport.send(event("a"));
  await page.settle();
  transport.flush(true);
  answer(new Response("no", { status: 503 }));
  await page.pass(60_000);
  assert.deepEqual(page.names(), [["a"]]);
  page.behave = OK;
  transport.wake();
  await page.pass(60_000);
  assert.deepEqual(page.names(), [["a"], ["a"]]);
});

test("transport: a request that was under way when the page slept, and succeeds, is not repeated", async () => {
  const { page, transport } = opened();
  let answer = (_: Response): void => undefined;
  page.behave = () => new Promise((resolve) => (answer = resolve));
  transport.send(event("a"));
  await page.settle();
  transport.send(event("b"));
  transport.flush(true);
  transport.wake();
  page.behave = OK;
  answer(Response.json({ status: 1 }));
  await page.pass(60_000);
  transport.send(event("c"));
  await page.pass(600_000);
  transport.wake();
  await page.pass(600_000);
  assert.deepEqual(page.names(), [["a"], ["b"], ["c"]]);
});

test("transport: what a hidden page gave to a beacon goes again with the request that failed", async () => {
  const { page, transport } = opened();
  let answer = (_: Response): void => undefined;
  page.behave = () => new Promise((resolve) => (answer = resolve));
  transport.send(event("a"));
  await page.settle();
  transport.send(event("b"));
  transport.flush(false);
  answer(new Response("no", { status: 503 }));
  page.behave = OK;
  await page.pass(60_000);
  assert.deepEqual(page.names(), [["a"], ["b"], ["a", "b"]]);
});

test("transport: a beacon is in doubt until a request begun after it succeeds", async () => {
  const { page, transport } = opened();
  let answer = (_: Response): void => undefined;
  page.behave = () => new Promise((resolve) => (answer = resolve));
  transport.send(event("a"));
  await page.settle();
  transport.send(event("b"));
  transport.flush(false);
  page.behave = status(503);
  answer(Response.json({ status: 1 }));
  await page.settle();
  transport.send(event("c"));
  await page.settle();
  page.behave = OK;
  await page.pass(600_000);
  assert.deepEqual(page.names(), [["a"], ["b"], ["c"], ["b", "c"]]);
});

test("transport: a beacon given without a network goes again when it is back", async () => {
  const { page, transport } = opened();
  page.online = false;
  transport.send(event("a"));
  transport.flush(false);
  await page.pass(600_000);
  page.online = true;
  transport.wake();
  await page.pass(600_000);
  assert.deepEqual(page.sent.map(({ how }) => how), ["beacon", "fetch"]);
});

test("transport: stopped with what there is kept, it finishes what is under way", async () => {
  const { page, transport } = opened();
  let answer = (_: Response): void => undefined;
  page.behave = () => new Promise((resolve) => (answer = resolve));
  transport.send(event("a"));
  await page.settle();
  transport.send(event("b"));
  transport.stop("keep");
  transport.send(event("c"));
  page.behave = status(503);
  answer(new Response("no", { status: 503 }));
  page.online = false; // the network's return is not told to who has stopped
  await page.pass(600_000);
  page.behave = OK;
  await page.pass(600_000);
  assert.deepEqual(page.names().slice(0, 3), [["a"], ["b"], ["a", "b"]]);
  assert.deepEqual(page.names().at(-1), ["a", "b"]);
  assert.equal(page.timers.size, 0);
});

test("transport: what was to be kept can be forgotten afterwards", async () => {
  const { page, transport } = opened();
  page.behave = status(503);
  transport.send(event("a"));
  await page.settle();
  transport.stop("keep");
  transport.stop("forget");
  page.behave = OK;
  await page.pass(600_000);
  assert.deepEqual(page.sent.map(({ how }) => how), ["fetch", "beacon"]);
  assert.equal(page.timers.size, 0);
});

test("transport: stopped is stopped", async () => {
  const { page, transport } = opened();
  page.behave = HANG;
  transport.send(event("a"));
  await page.settle();
  transport.send(event("b"));
  transport.stop("forget");
  transport.send(event("c"));
  page.behave = OK;
  transport.flush(true);
  transport.wake();
  await page.pass(3_600_000);
  assert.deepEqual(page.names(), [["a"]]);
  assert.equal(page.timers.size, 0);
});
