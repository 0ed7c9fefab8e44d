import assert from "node:assert/strict";
import { it, mock } from "node:test";

import { createAnnouncer } from "../../static/js/announcer.ts";
import type { Visit } from "../../static/js/visit.ts";

function visit(id: string): Visit {
  return {
    id, route: "home", pattern: "/", params: {}, url: "http://x/", navType: "push", startedAt: 0, enteredAt: 1, state: "entered",
  };
}

const leave = { reason: "visit", at: 2 } as const;

it("knows the visit entered and not yet left", () => {
  const announcer = createAnnouncer();
  const known: (string | undefined)[] = [announcer.current?.url];
  announcer.enter(visit("a"));
  known.push(announcer.current?.url);
  announcer.update({ ...visit("a"), url: "http://x/#b" });
  known.push(announcer.current?.url);
  announcer.leave(visit("a"), leave);
  known.push(announcer.current?.url);
  assert.deepEqual(known, [undefined, "http://x/", "http://x/#b", undefined]);
});

it("tells who comes late what there was, in order, and then what comes", () => {
  const announcer = createAnnouncer();
  announcer.enter(visit("a"));
  announcer.leave(visit("a"), leave);
  announcer.enter(visit("b"));
  const heard: string[] = [];
  const listener = { enter: (one: Visit) => heard.push(`enter ${one.id}`), leave: (one: Visit) => heard.push(`leave ${one.id}`) };
  announcer.listen(listener, { replay: true });
  announcer.leave(visit("b"), leave);
  assert.deepEqual(heard, ["enter a", "leave a", "enter b", "leave b"]);
});

it("tells who does not ask for the past only what comes", () => {
  const announcer = createAnnouncer();
  announcer.enter(visit("a"));
  const heard: string[] = [];
  announcer.listen({ enter: (one) => heard.push(one.id) });
  assert.deepEqual(heard, []);
});

it("forgets when told to", () => {
  const announcer = createAnnouncer();
  announcer.enter(visit("a"));
  announcer.forget();
  const heard: string[] = [];
  announcer.listen({ enter: (one) => heard.push(one.id) }, { replay: true });
  assert.deepEqual(heard, []);
  assert.equal(announcer.current?.id, "a");
});

it("keeps the last 600 announcements and no more", () => {
  const announcer = createAnnouncer();
  for (let index = 0; index < 700; index += 1) announcer.enter(visit(String(index)));
  const heard: string[] = [];
  announcer.listen({ enter: (one) => heard.push(one.id) }, { replay: true });
  assert.deepEqual([heard.length, heard[0], heard.at(-1)], [600, "100", "699"]);
});

it("stops telling who has stopped listening", () => {
  const announcer = createAnnouncer();
  const heard: string[] = [];
  const stop = announcer.listen({ enter: (one) => heard.push(one.id) });
  announcer.enter(visit("a"));
  stop();
  announcer.enter(visit("b"));
  assert.deepEqual(heard, ["a"]);
});

it("goes on when a listener fails", () => {
  const announcer = createAnnouncer();
  const reported = mock.method(console, "error", () => undefined);
  const heard: string[] = [];
  announcer.listen({
    enter: () => {
      throw new Error("listener");
    },
  });
  announcer.listen({ enter: (one) => heard.push(one.id) });
  announcer.enter(visit("a"));
  assert.deepEqual(heard, ["a"]);
  assert.equal(reported.mock.callCount(), 1);
  reported.mock.restore();
});
