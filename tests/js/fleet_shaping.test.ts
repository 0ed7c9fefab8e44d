import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { adoptionBands, bundleSentence, compareVersions, dayRows, shareOf, stack, weekRows } from "../../static/js/fleet/shaping.ts";
import type { DayPoint, FleetNumbers, WeekPoint } from "../../static/js/fleet/shapes.ts";

function numbers(days: DayPoint[], weeks: WeekPoint[] = []): FleetNumbers {
  return {
    now: "2026-11-23T12:00:00+00:00",
    heard_until: null,
    last_day: "2026-11-22",
    last_week: "2026-11-16",
    complete: { day: true, week: true },
    tiles: [],
    series: { definition: "", points: days },
    weeks: { definition: "", points: weeks },
    adoption: { definition: "", points: [] },
    distributions: [],
    lag: { definition: "", n: 0, p50_days: null, p90_days: null, versions: [] },
  };
}

describe("days", () => {
  it("without a ping are zeros, hidden numbers stay hidden, and today is not over", () => {
    const points = [
      { day: "2026-11-19", active: 12, new: 12 },
      { day: "2026-11-21", active: null, new: 0 },
      { day: "2026-11-23", active: 9, new: 1 },
    ];
    assert.deepEqual(dayRows(numbers(points)), [
      { day: "2026-11-19", active: 12, new: 12 },
      { day: "2026-11-20", active: 0, new: 0 },
      { day: "2026-11-21", active: null, new: 0 },
      { day: "2026-11-22", active: 0, new: 0 },
    ]);
  });

  it("are none before the first ping", () => {
    assert.deepEqual(dayRows(numbers([])), []);
  });
});

describe("weeks", () => {
  it("run from the first to the last complete one", () => {
    const points = [{ week: "2026-11-02", active: 3, new: 3 }, { week: "2026-11-16", active: 2, new: 0 }, { week: "2026-11-23", active: 1, new: 0 }];
    assert.deepEqual(weekRows(numbers([], points)).map((row) => [row.week, row.active]), [["2026-11-02", 3], ["2026-11-09", 0], ["2026-11-16", 2]]);
  });
});

describe("versions", () => {
  it("sort by number, a candidate before its release, the others first", () => {
    const sorted = ["1.0.0", "0.10.0", "others", "v0.9.0", "1.0.0-rc.1", "0.9"].sort(compareVersions);
    assert.deepEqual(sorted, ["others", "v0.9.0", "0.9", "0.10.0", "1.0.0-rc.1", "1.0.0"]);
  });

  it("become bands over every day", () => {
    const points = [
      { day: "2026-11-20", version: "0.10.0", n: 1 },
      { day: "2026-11-20", version: "0.9.0", n: 3 },
      { day: "2026-11-22", version: "0.10.0", n: 4 },
      { day: "2026-11-23", version: "0.10.0", n: 5 },
    ];
    assert.deepEqual(adoptionBands(points, "2026-11-20", "2026-11-22"), {
      days: ["2026-11-20", "2026-11-21", "2026-11-22"],
      bands: [{ version: "0.9.0", values: [3, 0, 0] }, { version: "0.10.0", values: [1, 0, 4] }],
    });
  });

  it("are stacked upon each other, as they are or as shares of their day", () => {
    const bands = [{ version: "a", values: [3, 0] }, { version: "b", values: [1, 0] }];
    assert.deepEqual(stack(bands, false), [[{ low: 0, high: 3 }, { low: 0, high: 0 }], [{ low: 3, high: 4 }, { low: 0, high: 0 }]]);
    assert.deepEqual(stack(bands, true), [[{ low: 0, high: 0.75 }, { low: 0, high: 0 }], [{ low: 0.75, high: 1 }, { low: 0, high: 0 }]]);
    assert.deepEqual(stack([], true), []);
  });
});

describe("a share", () => {
  it("needs to know of how many", () => {
    const distribution = { key: "os", label: "", definition: "", values: [], n: 40 };
    assert.equal(shareOf(10, distribution), 0.25);
    assert.equal(shareOf(10, { ...distribution, n: null }), null);
  });
});

describe("a bundle", () => {
  it("is answered in a sentence", () => {
    assert.deepEqual(bundleSentence([{ status: 202 }]), { tone: "success", text: "One ping: 1 taken." });
    assert.deepEqual(bundleSentence([{ status: 202 }, { status: 200 }]), { tone: "success", text: "2 pings: 1 taken, 1 known already." });
    assert.deepEqual(bundleSentence([{ status: 202 }, { status: 400, error: "must be JSON" }]), {
      tone: "warning",
      text: "2 pings: 1 taken, 1 refused (must be JSON).",
    });
    assert.equal(bundleSentence([{ status: 400 }]).tone, "danger");
  });
});
