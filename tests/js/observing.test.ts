import assert from "node:assert/strict";
import { it } from "node:test";

import { createAnnouncer } from "../../static/js/announcer.ts";
import type { Boot } from "../../static/js/boot.ts";
import type { RouteName } from "../../static/js/generated/routes.ts";
import { observe } from "../../static/js/observing.ts";
import { createSession } from "../../static/js/session.ts";
import type { Bearer } from "../../static/js/telemetry/types.ts";
import type { Visit } from "../../static/js/visit.ts";
import { bootFacts, recordedFacts, user } from "./boot_facts.ts";

const settled = () => new Promise((tick) => setImmediate(tick));

/** Recorded facts of a page on which `name` is signed in, or nobody. */
function factsOf(name: string | null): Boot {
  const { telemetry } = recordedFacts();
  const person = name === null ? null : { distinct_id: `u_${name}`, ticket: name };
  const facts = { ...telemetry, posthog: telemetry.posthog && { ...telemetry.posthog, person } };
  return recordedFacts({ telemetry: facts, user: name === null ? null : user("analyst") });
}

function scene(boot: Boot, signals: object = {}, fails: boolean | number | "slowly" = false) {
  const announcer = createAnnouncer<RouteName>();
  const nothing = () => undefined;
  const refuse = () => Promise.reject(new Error("no network here"));
  const api = { get: refuse, post: refuse, put: refuse, patch: refuse, delete: refuse };
  const session = createSession(boot, { api, leaving: nothing, revisit: nothing, again: nothing, changed: nothing });
  const idles: (() => void)[] = [];
  const timers: (() => void)[] = [];
  const heard: string[] = [];
  const told: string[] = [];
  const words: object[] = [];
  let hear: (word: { user: string | null; optedOut: boolean }) => void = nothing;
  const bearers: Record<string, string> = {};
  const note = (list: string[], visit: Visit, bearer: (visit: Visit) => Bearer): void => {
    list.push(visit.id);
    const { person, role } = bearer(visit);
    bearers[visit.id] = `${person?.distinct_id ?? "nobody"} ${role}`;
  };
  let begun = 0;
  let leave: (final: boolean) => void = nothing;
  observe({
    announcer, session, signals,
    idle: (callback) => idles.push(callback),
    later: (callback) => timers.push(callback),
    channel: {
      postMessage: (word) => words.push(word),
      addEventListener: (_, listener) => (hear = (word) => listener({ data: word } as MessageEvent)),
    },
    begin({ bearer }) {
      begun += 1;
      if (fails === true || (typeof fails === "number" && begun <= fails)) return Promise.reject(new Error("blocked"));
      announcer.listen({ enter: (visit) => note(heard, visit, bearer) }, { replay: true });
      if (fails === "slowly") return new Promise<void>(nothing);
      return Promise.resolve();
    },
    onLeave: (callback) => (leave = callback),
    tell: ({ bearer }) => announcer.listen({ enter: (visit) => note(told, visit, bearer) }, { replay: true })(),
  });
  return {
    session, heard, told, bearers, words,
    hear: (word: { user: string | null; optedOut: boolean }) => hear(word),
    leave: () => leave(true),
    hide: () => leave(false),
    begun: () => begun,
    idle: () => idles.splice(0).forEach((callback) => callback()),
    /** Lets the pause before the next try pass. */
    async pass() {
      await settled();
      timers.splice(0).forEach((callback) => callback());
      await settled();
    },
    enter: (id: string, route: RouteName = "home") => announcer.enter({ id, route } as Visit<RouteName>),
  };
}

it("begins after the first view, when the page is idle, and misses nothing", () => {
  const { enter, idle, begun, heard } = scene(recordedFacts());
  idle();
  assert.equal(begun(), 0);
  enter("a");
  enter("b");
  assert.equal(begun(), 0);
  idle();
  assert.deepEqual([begun(), heard], [1, ["a", "b"]]);
});

it("does not begin where nothing may be recorded", () => {
  const refusals: readonly (readonly [Boot, object])[] = [
    [bootFacts(), {}],
    [recordedFacts({ user: user("user", true) }), {}],
    [recordedFacts(), { globalPrivacyControl: true }],
    [recordedFacts(), { doNotTrack: "1" }],
  ];
  for (const [boot, signals] of refusals) {
    const { enter, idle, begun } = scene(boot, signals);
    enter("a");
    idle();
    assert.equal(begun(), 0);
  }
});

it("begins after opting in, without what was before", () => {
  const { session, enter, idle, begun, heard } = scene(recordedFacts({ user: user("user", true) }));
  enter("a");
  session.changedPrivacy(recordedFacts({ user: user("user") }));
  enter("b");
  idle();
  assert.deepEqual([begun(), heard], [1, ["b"]]);
});

it("does not begin when somebody opted out while the page was busy", () => {
  const { session, enter, idle, begun } = scene(recordedFacts({ user: user("user") }));
  enter("a");
  session.changedPrivacy(recordedFacts({ user: user("user", true) }));
  idle();
  assert.equal(begun(), 0);
});

it("does not begin after the logout of somebody who opted out, but for the next who signs in", () => {
  const { session, enter, idle, begun, heard } = scene(recordedFacts({ user: user("user", true) }));
  enter("a");
  session.signedIn(recordedFacts({ user: user("user", true) }));
  session.setBoot(recordedFacts());
  idle();
  assert.equal(begun(), 0);
  session.signedIn(recordedFacts({ user: user("analyst") }));
  enter("b");
  idle();
  assert.deepEqual([begun(), heard], [1, ["b"]]);
});

it("begins once", () => {
  const { session, enter, idle, begun } = scene(recordedFacts());
  enter("a");
  idle();
  session.signedIn(recordedFacts({ user: user("user") }));
  idle();
  assert.equal(begun(), 1);
});

it("is quiet when it is blocked, and gives up after a few tries", async () => {
  const { enter, idle, begun, pass } = scene(recordedFacts(), {}, true);
  enter("a");
  idle();
  const tries: number[] = [];
  for (let turn = 0; turn < 6; turn += 1) {
    await settled();
    tries.push(begun());
    await pass();
  }
  assert.deepEqual(tries, [1, 2, 3, 4, 4, 4]);
});

it("tries again when telemetry did not come, and misses nothing", async () => {
  const { enter, idle, heard, pass, leave, told } = scene(recordedFacts(), {}, 2);
  enter("a");
  idle();
  await pass();
  enter("b");
  await pass();
  enter("c");
  leave();
  assert.deepEqual([heard, told], [["a", "b", "c"], []]);
});

it("tells nothing of a page that is hidden after a try has failed, and forgets nothing", async () => {
  const { enter, idle, heard, pass, hide, told } = scene(recordedFacts(), {}, 1);
  enter("a");
  idle();
  await settled();
  hide();
  await pass();
  assert.deepEqual([told, heard], [[], ["a"]]);
});

it("does not try again what is refused by then, and begins anew without what was before", async () => {
  const { session, enter, idle, begun, heard, pass } = scene(recordedFacts({ user: user("user") }), {}, 1);
  enter("a");
  idle();
  await settled();
  session.changedPrivacy(recordedFacts({ user: user("user", true) }));
  await pass();
  await pass();
  idle();
  assert.equal(begun(), 1);
  enter("b");
  session.changedPrivacy(recordedFacts({ user: user("user") }));
  enter("c");
  idle();
  await settled();
  assert.deepEqual([begun(), heard], [2, ["c"]]);
});

it("does not tell what happened between opting out and in while telemetry was on its way", async () => {
  const { session, enter, idle, heard, pass } = scene(recordedFacts({ user: user("user") }), {}, 1);
  enter("a");
  idle();
  await settled();
  session.changedPrivacy(recordedFacts({ user: user("user", true) }));
  enter("b");
  session.changedPrivacy(recordedFacts({ user: user("user") }));
  enter("c");
  await pass();
  assert.deepEqual(heard, ["c"]);
});

it("tells itself of a page that is left before telemetry has come, once", () => {
  const { enter, idle, leave, told } = scene(recordedFacts(), {}, "slowly");
  leave();
  enter("a");
  leave();
  enter("b");
  idle();
  leave();
  leave();
  assert.deepEqual(told, ["a", "b"]);
});

it("tells of a page that is hidden before telemetry has come, which is told everything again", () => {
  const { enter, idle, hide, leave, told, heard } = scene(recordedFacts(), {}, "slowly");
  enter("a");
  hide();
  idle();
  assert.deepEqual([told, heard], [["a"], ["a"]]);
  leave();
  hide();
  assert.deepEqual(told, ["a", "a"]); // what was told is known to who tells
});

it("leaves telling to telemetry, once that has come", async () => {
  const { enter, idle, leave, told } = scene(recordedFacts());
  enter("a");
  idle();
  await settled();
  leave();
  assert.deepEqual(told, []);
});

it("tells nothing where nothing may be recorded, and nothing where telemetry was kept out", async () => {
  const refused = scene(recordedFacts(), { globalPrivacyControl: true });
  refused.enter("a");
  refused.leave();
  const optsOut = scene(recordedFacts({ user: user("user") }));
  optsOut.enter("a");
  optsOut.session.changedPrivacy(recordedFacts({ user: user("user", true) }));
  optsOut.leave();
  const blocked = scene(recordedFacts(), {}, true);
  blocked.enter("a");
  blocked.idle();
  await settled();
  blocked.leave();
  for (let turn = 0; turn < 4; turn += 1) await blocked.pass();
  blocked.enter("b");
  blocked.leave();
  assert.deepEqual([refused.told, optsOut.told, blocked.told], [[], [], []]);
});

it("knows whose each view was when it was announced, however late it is told", () => {
  const { session, enter, idle, bearers, leave, told } = scene(factsOf(null), {}, "slowly");
  enter("a", "register");
  session.signedIn(factsOf("alice"));
  enter("b", "login"); // announced too late: it was not painted before
  enter("c");
  session.signedIn(factsOf("bob"));
  enter("d");
  leave();
  idle();
  const truth = { a: "nobody anonymous", b: "nobody anonymous", c: "u_alice analyst", d: "u_bob analyst" };
  assert.deepEqual([told, bearers], [["a", "b", "c", "d"], truth]);
});

const ALICE = user("analyst").id;

it("does not begin when another tab opts out, or signs somebody else in, while the page is busy", () => {
  for (const word of [{ user: ALICE, optedOut: true }, { user: "bob", optedOut: false }]) {
    const { enter, hear, idle, begun, leave, told } = scene(factsOf("alice"));
    enter("a");
    hear(word);
    idle();
    leave();
    assert.deepEqual([begun(), told], [0, []]);
  }
});

it("begins, without what was before, when the other tab opts in again", async () => {
  const { enter, hear, idle, heard } = scene(factsOf("alice"));
  enter("a");
  hear({ user: ALICE, optedOut: true });
  idle();
  await settled();
  enter("b");
  hear({ user: ALICE, optedOut: false });
  enter("c");
  idle();
  assert.deepEqual(heard, ["c"]);
});

it("does not begin before the first view because another tab has said something", () => {
  const { hear, idle, begun, enter } = scene(factsOf("alice"));
  hear({ user: ALICE, optedOut: false });
  idle();
  assert.equal(begun(), 0);
  enter("a");
  idle();
  assert.equal(begun(), 1);
});

it("tells the other tabs who is signed in and what they chose, telemetry or not", () => {
  const { session, words } = scene(factsOf("alice"), { globalPrivacyControl: true });
  session.changedPrivacy({ ...factsOf("alice"), user: user("analyst", true) });
  session.signedIn(factsOf("bob"));
  assert.deepEqual(words, [{ user: ALICE, optedOut: true }, { user: ALICE, optedOut: false }]);
});
