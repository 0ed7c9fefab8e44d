import assert from "node:assert/strict";
import { test } from "node:test";

import { comparison, firstRecorded, recordedSince } from "../../static/js/views/parts/comparison.ts";

const previous = { from: "2026-10-26", to: "2026-10-28" };
const overview = (views: readonly (number | null)[], users: readonly (number | null)[] = views) => ({
  previous,
  series: {
    label: "", definition: "",
    points: views.map((value, index) => ({
      day: `2026-11-2${index}`, users: 1, teams: 1, sessions: 1, views: 1,
      previous_users: users[index] ?? null, previous_sessions: value, previous_views: value,
    })),
  },
});

test("a comparison that was recorded from its first day on is whole", () => {
  assert.equal(recordedSince(overview([4, 0, 3])), null);
});

test("days before the first record are not zero but unknown", () => {
  assert.equal(recordedSince(overview([0, 0, 3])), "2026-10-28");
  assert.equal(recordedSince(overview([0, null, 3], [0, 2, 3])), "2026-10-27");
});

test("a period without any record has no beginning", () => {
  assert.equal(recordedSince(overview([0, 0, 0])), null);
  assert.equal(recordedSince(overview([])), null);
});

test("what is compared with is said, and what is missing of it", () => {
  assert.deepEqual(comparison(previous, "2026-10-26"), { whole: true, words: "26 Oct – 28 Oct 2026" });
  assert.deepEqual(comparison(previous, "2026-10-28"), {
    whole: false, words: "26 Oct – 28 Oct 2026, of which nothing is recorded before Wed 28 Oct",
  });
  assert.deepEqual(comparison(previous, null), { whole: false, words: "26 Oct – 28 Oct 2026, of which nothing is recorded" });
  assert.equal(firstRecorded(overview([0, 0, 0])), null);
  assert.equal(firstRecorded(overview([0, 2, 0])), "2026-10-27");
});
