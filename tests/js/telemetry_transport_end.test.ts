// When the page is hidden, goes, comes back, or stops telling.

import assert from "node:assert/strict";
import { test } from "node:test";

import { HANG, OK, event, opened, status, underWay } from "./transport_page.ts";

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
  const { page, transport, answer } = await underWay();
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
  const { page, transport, answer } = await underWay();
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
  const { page, transport, answer } = await underWay();
  transport.send(event("b"));
  transport.flush(false);
  answer(new Response("no", { status: 503 }));
  page.behave = OK;
  await page.pass(60_000);
  assert.deepEqual(page.names(), [["a"], ["b"], ["a", "b"]]);
});

test("transport: a beacon is in doubt until a request begun after it succeeds", async () => {
  const { page, transport, answer } = await underWay();
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
  const { page, transport, answer } = await underWay();
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
