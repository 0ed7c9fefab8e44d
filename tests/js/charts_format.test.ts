import assert from "node:assert/strict";
import { test } from "node:test";

import * as format from "../../static/js/charts/format.ts";

const N = "\u202f";

function table<T>(read: (value: T) => string, rows: readonly (readonly [T, string])[]): void {
  for (const [value, text] of rows) assert.equal(read(value), text, `of ${String(value)}`);
}

test("a count has thousands separators and nothing is a dash, not a zero", () => {
  table(format.count, [
    [0, "0"], [7, "7"], [1234, "1,234"], [12_480.4, "12,480"], [-5, "−5"], [1e9, "1,000,000,000"],
    [Number.NaN, "–"], [Number.POSITIVE_INFINITY, "–"],
  ]);
  assert.equal(format.count(null), "–");
  assert.equal(format.count(undefined), "–");
});

test("a compact count has at most one decimal and never reads 1000 k", () => {
  table(format.compact, [
    [0, "0"], [999, "999"], [1000, `1${N}k`], [1234, `1.2${N}k`], [12_480, `12.5${N}k`], [999_400, `999.4${N}k`],
    [999_960, `1${N}M`], [2_500_000, `2.5${N}M`], [3e9, `3${N}G`], [-1500, `−1.5${N}k`],
  ]);
});

test("a duration says its two largest units", () => {
  table(format.duration, [
    [0, `0${N}ms`], [0.4, `0${N}ms`], [850, `850${N}ms`], [999.4, `999${N}ms`], [999.6, `1${N}s`], [3200, `3.2${N}s`], [9949, `9.9${N}s`],
    [9960, `10${N}s`], [59_400, `59${N}s`], [59_600, `1${N}m 00${N}s`], [252_000, `4${N}m 12${N}s`], [3_599_600, `1${N}h 00${N}m`],
    [3_840_000, `1${N}h 04${N}m`], [86_399_999, `1${N}d 0${N}h`], [183_600_000, `2${N}d 3${N}h`], [-3200, `−3.2${N}s`],
  ]);
  assert.equal(format.duration(null), "–");
});

test("a ratio is a percentage, with one decimal only where it matters", () => {
  table(format.percent, [
    [0, `0${N}%`], [0.0001, `<0.1${N}%`], [0.0005, `0.1${N}%`], [0.004, `0.4${N}%`], [0.05, `5${N}%`], [0.0996, `10${N}%`], [0.4213, `42${N}%`], [1, `100${N}%`],
  ]);
  assert.equal(format.percent(null), "–");
});

test("a change is relative to the previous value and honest about nothing to compare", () => {
  assert.deepEqual(format.change(112, 100), { direction: "up", text: `+12${N}%` });
  assert.deepEqual(format.change(97, 100), { direction: "down", text: `−3${N}%` });
  assert.deepEqual(format.change(50, 50), { direction: "same", text: "no change" });
  assert.deepEqual(format.change(5, 0), { direction: "up", text: "new" });
  assert.deepEqual(format.change(0, 4), { direction: "down", text: `−100${N}%` });
  assert.deepEqual(format.change(2200, 100), { direction: "up", text: "×22" });
  assert.deepEqual(format.change(999, 100), { direction: "up", text: `+899${N}%` });
  assert.deepEqual(format.change(null, 100), { direction: "unknown", text: "–" });
  assert.deepEqual(format.change(100, null), { direction: "unknown", text: "–" });
});

test("a day is the UTC day, wherever the reader sits", () => {
  assert.equal(format.day("2026-11-23"), "Mon 23 Nov");
  assert.equal(format.shortDay("2026-01-02"), "2 Jan");
  assert.equal(format.day("no day"), "–");
});

test("a range says what is common once", () => {
  assert.equal(format.dayRange("2026-10-27", "2026-11-23"), "27 Oct – 23 Nov 2026");
  assert.equal(format.dayRange("2025-12-28", "2026-01-03"), "28 Dec 2025 – 3 Jan 2026");
  assert.equal(format.dayRange("2026-11-23", "2026-11-23"), "23 Nov 2026");
});

test("an age is said in one unit", () => {
  const now = Date.parse("2026-11-23T12:00:00.000Z");
  table((iso: string) => format.ago(iso, now), [
    ["2026-11-23T11:59:58.000Z", "just now"], ["2026-11-23T12:00:30.000Z", "just now"], ["2026-11-23T11:59:30.000Z", `30${N}s ago`],
    ["2026-11-23T11:55:01.000Z", `4${N}min ago`], ["2026-11-23T09:00:00.000Z", `3${N}h ago`],
    ["2026-11-22T12:00:00.000Z", "1 day ago"], ["2026-11-03T12:00:00.000Z", "20 days ago"], ["2026-01-05T12:00:00.000Z", "5 Jan 2026"],
    ["garbage", "–"],
  ]);
  assert.equal(format.ago(null, now), "–");
});

test("a value is written in the unit the server names", () => {
  assert.equal(format.measure(1234, "count"), "1,234");
  assert.equal(format.measure(1234, "ms"), `1.2${N}s`);
  assert.equal(format.plural(1, "member"), "1 member");
  assert.equal(format.plural(1200, "member"), "1,200 members");
  assert.equal(format.plural(2, "entry", "entries"), "2 entries");
});
