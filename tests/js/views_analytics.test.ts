import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../static/js/api.ts";
import type { LoadContext } from "../../static/js/page.ts";
import { ask, askRanged } from "../../static/js/views/parts/analytics.ts";

function scene(kept: boolean, answer: () => Promise<unknown>) {
  const asked: unknown[] = [];
  const context = {
    query: new URLSearchParams("from=2026-11-01&to=2026-11-07"),
    boot: { setup: { local_analytics: { value: kept } } },
    api: { get: (path: string, { query }: { query: unknown }) => (asked.push([path, query]), answer()) },
    signal: new AbortController().signal,
  } as unknown as LoadContext;
  return { asked, context };
}

test("the range of the address is what is asked for", async () => {
  const { asked, context } = scene(true, () => Promise.resolve("numbers"));
  const { range, answer } = await askRanged<string>("overview", context);
  assert.deepEqual([range, answer], [{ from: "2026-11-01", to: "2026-11-07" }, "numbers"]);
  assert.deepEqual(asked, [["insights/overview", { from: "2026-11-01", to: "2026-11-07" }]]);
});

test("a server that keeps no analytics is not asked", async () => {
  const { asked, context } = scene(false, () => Promise.reject(new Error("asked")));
  assert.equal(await ask("live", context), null);
  assert.deepEqual(asked, []);
});

test("a server that has stopped keeping analytics is understood, any other refusal passes on", async () => {
  const refused = (code: string) => scene(true, () => Promise.reject(new ApiError(code, "No.", 404))).context;
  assert.equal(await ask("live", refused("local_analytics_off")), null);
  await assert.rejects(ask("live", refused("not_found")), { code: "not_found" });
});
