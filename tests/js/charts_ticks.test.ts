import assert from "node:assert/strict";
import { test } from "node:test";

import { dayTicks, daysBetween, valueTicks } from "../../static/js/charts/ticks.ts";

const MONTH = daysBetween("2026-10-27", "2026-11-23");
const labels = (days: readonly string[], width: number) => dayTicks(days, width).map((index) => days[index]);

test("days are counted with both ends, across months and clocks", () => {
  assert.equal(MONTH.length, 28);
  assert.deepEqual(daysBetween("2026-02-27", "2026-03-01"), ["2026-02-27", "2026-02-28", "2026-03-01"]);
  assert.deepEqual(daysBetween("2026-03-01", "2026-03-01"), ["2026-03-01"]);
  assert.deepEqual(daysBetween("2026-03-02", "2026-03-01"), []);
});

test("as many days are labelled as fit, on Mondays once a label stands for a week", () => {
  assert.deepEqual(labels(MONTH, 340), ["2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23"]);
  assert.deepEqual(labels(daysBetween("2026-11-17", "2026-11-23"), 1000), daysBetween("2026-11-17", "2026-11-23"));
  assert.deepEqual(labels(daysBetween("2026-11-17", "2026-11-23"), 330), ["2026-11-17", "2026-11-19", "2026-11-21", "2026-11-23"]);
  assert.deepEqual(dayTicks(["2026-11-23"], 10), [0]);
});

test("the value axis has round whole numbers from zero to at least the highest value", () => {
  assert.deepEqual(valueTicks(0, 4), [0, 1]);
  assert.deepEqual(valueTicks(1, 4), [0, 1]);
  assert.deepEqual(valueTicks(7, 4), [0, 2, 4, 6, 8]);
  assert.deepEqual(valueTicks(412, 4), [0, 200, 400, 600]);
  assert.deepEqual(valueTicks(6200, 4), [0, 2000, 4000, 6000, 8000]);
});
