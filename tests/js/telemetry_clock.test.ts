import assert from "node:assert/strict";
import { test } from "node:test";

import { BEAT_MS, ENGAGED_CAP_MS, EngagementClock, watchAttention } from "../../static/js/telemetry/clock.ts";

function beats(clock: EngagementClock, from: number, to: number): void {
  for (let at = from; at <= to; at += BEAT_MS) clock.beat(at);
}

test("clock: attention is engagement", () => {
  const clock = new EngagementClock(true);
  clock.begin(1000);
  assert.deepEqual(clock.read(6000), { engaged_ms: 5000, total_ms: 5000 });
});

test("clock: what is not looked at is not engagement", () => {
  const clock = new EngagementClock(true);
  clock.begin(0);
  clock.attend(false, 2000);
  clock.attend(false, 3000);
  clock.attend(true, 10_000);
  assert.deepEqual(clock.read(13_000), { engaged_ms: 5000, total_ms: 13_000 });
});

test("clock: a view begun out of sight", () => {
  const clock = new EngagementClock(false);
  clock.begin(0);
  assert.deepEqual(clock.read(4000), { engaged_ms: 0, total_ms: 4000 });
  clock.attend(true, 4000);
  assert.deepEqual(clock.read(5000), { engaged_ms: 1000, total_ms: 5000 });
});

test("clock: capped at half an hour", () => {
  const clock = new EngagementClock(true);
  clock.begin(0);
  beats(clock, 0, 3_600_000);
  assert.deepEqual(clock.read(3_600_000), { engaged_ms: ENGAGED_CAP_MS, total_ms: 3_600_000 });
});

test("clock: a machine that slept was not looked at", () => {
  const clock = new EngagementClock(true);
  clock.begin(0);
  beats(clock, 0, 60_000);
  const { engaged_ms, total_ms } = clock.read(8 * 3_600_000);
  assert.equal(engaged_ms, 60_000 + 2 * BEAT_MS);
  assert.equal(total_ms, 8 * 3_600_000);
});

test("clock: nothing is negative when time goes back", () => {
  const clock = new EngagementClock(true);
  clock.begin(5000);
  clock.beat(4000);
  assert.deepEqual(clock.read(3000), { engaged_ms: 0, total_ms: 0 });
});

test("clock: the next view starts at nothing", () => {
  const clock = new EngagementClock(true);
  clock.begin(0);
  clock.read(9000);
  clock.begin(10_000);
  assert.deepEqual(clock.read(10_250.6), { engaged_ms: 251, total_ms: 251 });
});

test("clock: follows the page, and stops", () => {
  const document = Object.assign(new EventTarget(), { visibilityState: "visible", hasFocus: () => focused });
  let focused = true;
  let now = 0;
  const timers = new Map<number, () => void>();
  const page = Object.assign(new EventTarget(), {
    document: document as unknown as Document,
    performance: { now: () => now },
    setInterval: (callback: () => void) => timers.set(1, callback) && 1,
    clearInterval: (timer: number) => void timers.delete(timer),
  });
  const { clock, stop } = watchAttention(page);
  clock.begin(0);
  now = 1000;
  focused = false;
  page.dispatchEvent(new Event("blur"));
  now = 2000;
  focused = true;
  page.dispatchEvent(new Event("focus"));
  now = 3000;
  document.visibilityState = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
  now = 9000;
  assert.deepEqual(clock.read(now), { engaged_ms: 2000, total_ms: 9000 });
  stop();
  assert.equal(timers.size, 0);
  document.visibilityState = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(clock.read(10_000).engaged_ms, 2000);
});
