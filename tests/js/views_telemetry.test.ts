import assert from "node:assert/strict";
import { test } from "node:test";

import { pending, received } from "../../static/js/views/parts/telemetry_sum.ts";
import { humanise, layerPhrase, layerValue, layerWords, reasonWords } from "../../static/js/views/parts/telemetry_words.ts";

test("what was sent is what was accepted and what was dropped, reason by reason", () => {
  const sums = received({ counts: { accepted: 90, dropped: { opted_out: 3, unknown_event: 7, bad_token: 3, too_old: 0 } } });
  assert.deepEqual(sums, {
    accepted: 90, dropped: 13, sent: 103, reasons: [["unknown_event", 7], ["bad_token", 3], ["opted_out", 3]],
  });
  assert.equal(sums.accepted + sums.reasons.reduce((sum, [, number]) => sum + number, 0), sums.sent);
});

test("nothing received adds up to nothing", () => {
  assert.deepEqual(received({ counts: { accepted: 0, dropped: {} } }), { accepted: 0, dropped: 0, sent: 0, reasons: [] });
});

test("the backlog is that of all channels", () => {
  const channel = (name: string, waiting: number) => ({
    channel: name, label: name, allowed: true, reason: "switched_on", decided_by: "file", layers: [],
    last_success_at: null, last_error_at: null, last_error: null, addressed: waiting, pending: waiting, delivered: 0, failed: 0, abandoned: 0,
  });
  assert.equal(pending({ channels: [channel("posthog", 4), channel("local", 5)] }), 9);
});

test("a word the page does not know is shown, not hidden", () => {
  assert.equal(reasonWords("sending_disabled"), "Nothing leaves this platform.");
  assert.equal(reasonWords("new_reason"), "New reason.");
  assert.equal(layerWords("admin"), "Admin Settings");
  assert.equal(layerWords("somewhere_else"), "Somewhere else");
  assert.deepEqual(["default", "file", "admin"].map(layerPhrase), ["the built-in default", "flowforge.yml", "Admin Settings"]);
  assert.equal(humanise("identity_unproven"), "Identity unproven");
  assert.deepEqual([true, false, "on", "off", "", null, "route"].map(layerValue), ["on", "off", "on", "off", "says nothing", "says nothing", "route"]);
});
