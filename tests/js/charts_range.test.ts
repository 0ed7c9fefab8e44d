import assert from "node:assert/strict";
import { test } from "node:test";

import {
  daysIn, dayOf, isDay, presetOf, presetRange, rangeFrom, rangeProblem, rangeQuery, shift,
} from "../../static/js/charts/range.ts";

const TODAY = "2026-11-23";
const ask = (text: string) => rangeFrom(new URLSearchParams(text), TODAY);
const MONTH = { from: "2026-10-27", to: TODAY };

test("presets end today and have their length", () => {
  assert.deepEqual(presetRange("d", TODAY), { from: TODAY, to: TODAY });
  assert.deepEqual(presetRange("w", TODAY), { from: "2026-11-17", to: TODAY });
  assert.deepEqual(presetRange("m", TODAY), MONTH);
  assert.equal(daysIn(presetRange("q", TODAY)), 84);
  assert.equal(dayOf(Date.parse("2026-11-23T23:59:59.999Z")), TODAY);
});

test("an address asks for days, or for none", () => {
  assert.deepEqual(ask(""), { range: MONTH, problem: null });
  assert.deepEqual(ask("from=&to="), { range: MONTH, problem: null });
  assert.deepEqual(ask("from=2026-11-01&to=2026-11-09"), { range: { from: "2026-11-01", to: "2026-11-09" }, problem: null });
});

test("an end that is missing is filled in", () => {
  assert.deepEqual(ask("from=2026-11-01"), { range: { from: "2026-11-01", to: TODAY }, problem: null });
  assert.deepEqual(ask("from=2020-01-01"), { range: { from: "2020-01-01", to: "2021-12-31" }, problem: null });
  assert.deepEqual(ask("to=2026-11-09"), { range: { from: "2026-10-13", to: "2026-11-09" }, problem: null });
});

test("days that cannot be shown are not, and why is said", () => {
  for (const [text, problem] of [
    ["from=2026-11-09&to=2026-11-01", "The first day lies after the last."],
    ["from=2026-11-24", "The last day lies in the future."],
    ["from=2026-02-30&to=2026-03-02", "A day is written like 2026-11-23."],
    ["from=a", "A day is written like 2026-11-23."],
    ["to=b", "A day is written like 2026-11-23."],
    ["from=2026-11-20&to=2026-11-24", "The last day lies in the future."],
    ["from=2020-01-01&to=2026-11-01", "At most two years can be shown."],
    ["from=1999-12-31&to=2000-01-05", "Days before 2000 cannot be shown."],
  ] as const) assert.deepEqual(ask(text), { range: MONTH, problem }, text);
});

test("only days of the calendar are days", () => {
  assert.equal(isDay("2024-02-29"), true);
  for (const text of ["2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "", null]) assert.equal(isDay(text), false, String(text));
});

test("a range knows which preset it is", () => {
  assert.equal(presetOf(MONTH, TODAY), "m");
  assert.equal(presetOf({ from: TODAY, to: TODAY }, TODAY), "d");
  assert.equal(presetOf({ from: "2026-11-16", to: "2026-11-22" }, TODAY), null);
  assert.equal(presetOf({ from: "2026-11-20", to: TODAY }, TODAY), null);
});

test("arrows move by the range's own length and stop at today", () => {
  const week = presetRange("w", TODAY);
  const before = shift(week, -1, TODAY);
  assert.deepEqual(before, { from: "2026-11-10", to: "2026-11-16" });
  assert.deepEqual(shift(before, 1, TODAY), week);
  assert.deepEqual(shift(week, 1, TODAY), week);
  assert.deepEqual(shift({ from: "2026-11-12", to: "2026-11-18" }, 1, TODAY), week);
});

test("days across a change of the clock are counted whole", () => {
  assert.equal(daysIn({ from: "2026-10-20", to: "2026-10-30" }), 11);
  assert.equal(daysIn({ from: "2026-03-20", to: "2026-03-31" }), 12);
});

test("a refused range says why", () => {
  assert.equal(rangeProblem("2026-11-01", "2026-11-09", TODAY), null);
  assert.equal(rangeProblem("", "2026-11-09", TODAY), "Give both days.");
  assert.equal(rangeProblem("2026-11-10", "2026-11-09", TODAY), "The first day lies after the last.");
  assert.equal(rangeProblem("2026-11-10", "2026-11-24", TODAY), "The last day lies in the future.");
  assert.equal(rangeProblem("2024-11-23", TODAY, TODAY), null);
  assert.equal(rangeProblem("2024-11-22", TODAY, TODAY), "At most two years can be shown.");
});

test("the default range keeps the address clean", () => {
  assert.equal(rangeQuery(MONTH, TODAY), "");
  assert.equal(rangeQuery({ from: "2026-11-01", to: "2026-11-09" }, TODAY), "?from=2026-11-01&to=2026-11-09");
});
