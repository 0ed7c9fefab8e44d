import assert from "node:assert/strict";
import { test } from "node:test";

import { progress } from "../../static/js/telemetry/scrolling.ts";
import { forget, identifiersFor, OWNER } from "../../static/js/telemetry/sdk_storage.ts";
import { firstSeen, isSeen, whenSeen } from "../../static/js/telemetry/seen.ts";
import type { PageEvent } from "../../static/js/telemetry/types.ts";
import { uuid7 } from "../../static/js/telemetry/uuid.ts";

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("uuid7: its time, its version, its variant", () => {
  assert.equal(uuid7(0x0123456789ab, new Uint8Array(10).fill(0xff)), "01234567-89ab-7fff-bfff-ffffffffffff");
  assert.match(uuid7(Date.now()), UUID7);
  assert.notEqual(uuid7(5), uuid7(5));
});

const BOXES: [number, number, number, number | null][] = [
  [0, 1000, 500, 0],
  [250, 1000, 500, 0.5],
  [500, 1000, 500, 1],
  [501, 1000, 500, 1],
  [-20, 1000, 500, 0],
  [0, 500, 500, null],
  [0, 501, 500, null],
];

for (const [scrollTop, scrollHeight, clientHeight, expected] of BOXES) {
  test(`scrolling: ${scrollTop} of ${scrollHeight} in ${clientHeight}`, () => {
    assert.equal(progress({ scrollTop, scrollHeight, clientHeight }), expected);
  });
}

class FakeDocument extends EventTarget {
  visibilityState: DocumentVisibilityState = "hidden";
  prerendering = true;
}

test("seen: a prerendered page is seen when it is shown", () => {
  const page = new FakeDocument();
  let calls = 0;
  whenSeen(page, () => (calls += 1));
  page.visibilityState = "visible";
  page.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual([isSeen(page), calls], [false, 0]);
  page.prerendering = false;
  page.dispatchEvent(new Event("prerenderingchange"));
  page.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual([isSeen(page), calls], [true, 1]);
  whenSeen(page, () => (calls += 1));
  assert.equal(calls, 2);
});

test("seen: called off", () => {
  const page = new FakeDocument();
  let calls = 0;
  whenSeen(page, () => (calls += 1))();
  Object.assign(page, { visibilityState: "visible", prerendering: false });
  page.dispatchEvent(new Event("visibilitychange"));
  assert.equal(calls, 0);
});

const ENTRIES: [object[], object[], number | null, string?][] = [
  [[], [], 0],
  [[], [], null, "hidden"],
  [[], [{ name: "hidden", startTime: 0 }], null, "hidden"],
  [[], [{ name: "visible", startTime: 40 }, { name: "hidden", startTime: 60 }], 40, "hidden"],
  [[{}], [{ name: "visible", startTime: 0 }], 0],
  [[{ activationStart: 900 }], [{ name: "hidden", startTime: 0 }, { name: "visible", startTime: 905 }], 905],
  [[{ activationStart: 900 }], [], 900],
  [[{}], [{ name: "hidden", startTime: 0 }, { name: "visible", startTime: 70 }, { name: "visible", startTime: 90 }], 70],
];

for (const [navigation, visibility, expected, visibilityState = "visible"] of ENTRIES) {
  test(`seen: first at ${expected} of ${visibilityState}, ${JSON.stringify(visibility)}`, () => {
    const performance = { getEntriesByType: (type: string) => (type === "navigation" ? navigation : visibility) };
    assert.equal(firstSeen({ performance: performance as unknown as Performance, document: { visibilityState } as Document }), expected);
  });
}

function event(person: string | null, at: number): PageEvent {
  return { at, bearer: { person: person && { distinct_id: person, ticket: null }, role: "user" } } as unknown as PageEvent;
}

const KEPT = { $sesid: [1_000_000, "session", 900_000], distinct_id: "device", [OWNER]: "u_alice" };

const STORED: [string, string | null, number, string | null, "all" | "distinct" | "session" | "nothing"][] = [
  ["the session goes on", JSON.stringify(KEPT), 1_000_500, "u_alice", "all"],
  ["the session is over", JSON.stringify(KEPT), 1_000_000 + 31 * 60_000, "u_alice", "distinct"],
  ["somebody else's", JSON.stringify(KEPT), 1_000_500, "u_bob", "nothing"],
  ["nobody's", JSON.stringify({ ...KEPT, [OWNER]: "" }), 1_000_500, null, "all"],
  ["nobody's, and the session is over", JSON.stringify({ ...KEPT, [OWNER]: "" }), 1_000_000 + 31 * 60_000, null, "distinct"],
  ["nothing kept", null, 1_000_500, "u_alice", "nothing"],
  ["nothing of the kind", "{}", 1_000_500, "u_alice", "nothing"],
  ["without a session", JSON.stringify({ ...KEPT, $sesid: undefined }), 1_000_500, "u_alice", "distinct"],
  ["with a session that has been reset", JSON.stringify({ ...KEPT, $sesid: [null, null, null] }), 1_000_500, "u_alice", "distinct"],
  ["without an identifier", JSON.stringify({ ...KEPT, distinct_id: undefined }), 1_000_500, "u_alice", "session"],
  ["no JSON", "{", 1_000_500, "u_alice", "nothing"],
  ["null", "null", 1_000_500, "u_alice", "nothing"],
];

for (const [name, stored, at, person, kept] of STORED) {
  test(`what the SDK keeps: ${name}`, () => {
    const storage = { getItem: (key: string) => (key === "ph_phc_x_posthog" ? stored : "wrong") };
    const { distinct, session } = identifiersFor(event(person, at), storage, "phc_x");
    assert.match(distinct, kept === "all" || kept === "distinct" ? /^device$/ : UUID7);
    assert.match(session, kept === "all" || kept === "session" ? /^session$/ : UUID7);
  });
}

test("what the SDK keeps: a storage that refuses", () => {
  const storage = {
    getItem() {
      throw new Error("SecurityError");
    },
  };
  assert.match(identifiersFor(event(null, 5), storage, "phc_x").session, UUID7);
});

test("what the SDK keeps is forgotten, and nothing else", () => {
  const items = new Map([["ph_phc_x_posthog", "1"], ["ph_phc_x_window_id", "2"], ["theme", "dark"], ["ph_other", "3"]]);
  const storage = {
    get length() {
      return items.size;
    },
    key: (index: number) => [...items.keys()][index] ?? null,
    removeItem: (key: string) => items.delete(key),
  };
  forget([storage as unknown as Storage], "phc_x");
  assert.deepEqual([...items.keys()], ["theme", "ph_other"]);
});
