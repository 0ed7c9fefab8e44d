import assert from "node:assert/strict";
import { test } from "node:test";

import { hostOf, indented, newestFailure, outcomeWords, troubleWords, typeWords, valueText } from "../../static/js/views/parts/ping_words.ts";

const row = (seq: number, outcome: string, error: string | null = null) => ({
  seq, period: "2026-11-23T10-0a1b2c3d", made_at: "2026-11-23T10:00:00.000Z", outcome, attempts: 1, status: null, error, receipt: null, bytes: 300,
});

test("every reason a ping may fail for says what happened and where to look", () => {
  // The closed set of flowforge_ui/telemetry/post.py, and what `judge` in ping.py writes.
  const reasons = ["unreachable", "timeout", "tls", "proxy", "broken_answer", "redirected (302)", "answered 400", "answered 429", "answered 503"];
  const said = reasons.map((reason) => troubleWords(reason));
  assert.deepEqual(said.map(({ what }) => reasons.includes(what)), reasons.map(() => false));
  assert.equal(new Set(said.map(({ what }) => what)).size, reasons.length);
  assert.match(troubleWords("redirected (308)").what, /308/);
  assert.equal(troubleWords("answered 429").look, troubleWords("answered 503").look);
  assert.notEqual(troubleWords("answered 404").look, troubleWords("answered 503").look);
});

test("a reason nobody knows is shown as it is", () => {
  assert.equal(troubleWords("moon").what, "moon");
});

test("only the newest ping tells of trouble", () => {
  assert.equal(newestFailure([]), null);
  assert.equal(newestFailure([row(3, "failed", "timeout"), row(2, "sent")])?.seq, 3);
  assert.equal(newestFailure([row(3, "sent"), row(2, "failed", "timeout")]), null);
  assert.equal(newestFailure([row(3, "waiting"), row(2, "failed", "timeout")]), null);
});

test("outcomes have words and a colour", () => {
  assert.deepEqual(["sent", "failed", "waiting", "lost"].map(outcomeWords), [["Taken", "success"], ["Not taken", "danger"], ["On its way", "neutral"], ["lost", "neutral"]]);
});

test("text is indented for reading, and left alone where it is no JSON", () => {
  assert.equal(indented('{"a":{"b":1}}'), '{\n  "a": {\n    "b": 1\n  }\n}');
  assert.equal(indented("<h1>Bad gateway</h1>"), "<h1>Bad gateway</h1>");
});

test("values are written as they travel, types in words", () => {
  assert.deepEqual(["x64", 3, true, null].map(valueText), ['"x64"', "3", "true", "null"]);
  assert.equal(typeWords("enum", ["a", "b"]), "one of a, b, other");
  assert.equal(typeWords("int"), "a whole number");
  assert.equal(typeWords("shape"), "shape");
});

test("the host of an address, and an address that is none", () => {
  assert.equal(hostOf("https://ping.example:8443/collector"), "ping.example:8443");
  assert.equal(hostOf("ping"), "ping");
});
