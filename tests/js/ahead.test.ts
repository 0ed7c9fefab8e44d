import assert from "node:assert/strict";
import { it } from "node:test";

import { createAhead } from "../../static/js/ahead.ts";

function scene() {
  const loads: { url: string; signal: AbortSignal; done(value: string): void; fail(): void }[] = [];
  const clock = { now: 0 };
  const ahead = createAhead<string>(
    (url, signal) =>
      new Promise((resolve, reject) => loads.push({ url, signal, done: resolve, fail: () => reject(new Error("500")) })),
    () => clock.now,
  );
  return { ahead, loads, clock };
}

it("fetches once and is used once", async () => {
  const { ahead, loads } = scene();
  ahead.fetch("/a");
  ahead.fetch("/a");
  assert.equal(loads.length, 1);
  loads[0]?.done("A");
  assert.equal(await ahead.take("/a"), "A");
  assert.equal(ahead.take("/a"), undefined);
});

it("can be used while it is still on its way", async () => {
  const { ahead, loads } = scene();
  ahead.fetch("/a");
  const taken = ahead.take("/a");
  loads[0]?.done("A");
  assert.equal(await taken, "A");
  assert.equal(loads[0]?.signal.aborted, false);
});

it("is stale after ten seconds", () => {
  const { ahead, clock } = scene();
  ahead.fetch("/a");
  clock.now = 10_001;
  assert.equal(ahead.take("/a"), undefined);
});

it("what failed is tried again by the visit", async () => {
  const { ahead, loads } = scene();
  ahead.fetch("/a");
  loads[0]?.fail();
  await new Promise((tick) => setImmediate(tick));
  assert.equal(ahead.take("/a"), undefined);
});

it("what comes late does not push out what was fetched since", async () => {
  const { ahead, loads, clock } = scene();
  ahead.fetch("/a");
  clock.now = 10_001;
  ahead.fetch("/a");
  loads[0]?.fail();
  await new Promise((tick) => setImmediate(tick));
  loads[1]?.done("A");
  assert.equal(await ahead.take("/a"), "A");
});

it("keeps a few only, the newest", () => {
  const { ahead, loads } = scene();
  for (let index = 0; index < 12; index += 1) ahead.fetch(`/${index}`);
  assert.equal(ahead.take("/0"), undefined);
  assert.ok(ahead.take("/11"));
  assert.equal(loads[0]?.signal.aborted, true);
});

it("is dropped when something changes", () => {
  const { ahead, loads } = scene();
  ahead.fetch("/a");
  ahead.clear();
  assert.equal(ahead.take("/a"), undefined);
  assert.equal(loads[0]?.signal.aborted, true);
});
