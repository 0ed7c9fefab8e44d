import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";

import { ApiError, type Api } from "../../static/js/api.ts";
import type { Boot } from "../../static/js/boot.ts";
import { createSession } from "../../static/js/session.ts";
import { bootFacts, recordedFacts, user } from "./boot_facts.ts";

function scene(first: Boot, answers: Record<string, unknown>) {
  const log: string[] = [];
  function answer<T>(path: string): Promise<T> {
    log.push(`request ${path}`);
    const found = answers[path];
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found as T);
  }
  const api: Api = { get: answer, post: answer, put: answer, patch: answer, delete: answer };
  const session = createSession(first, {
    api,
    leaving: (reason) => log.push(`leave ${reason}`),
    revisit: (navType, to) => log.push(`revisit ${navType} ${to ?? "here"}`),
    again: (navType) => log.push(`again ${navType}`),
    changed: (before, now) => log.push(`facts ${before.user?.username ?? "-"} ${now.user?.username ?? "-"}`),
  });
  session.listen({
    willLogout: () => log.push("willLogout"),
    didLogout: (boot) => log.push(`didLogout ${boot.user?.username ?? "-"}`),
    didLogin: (boot) => log.push(`didLogin ${boot.user?.username ?? "-"}`),
    didChangePrivacy: (boot) => log.push(`didChangePrivacy ${String(boot.user?.telemetry_opt_out)}`),
  });
  return { session, log };
}

const signedOut = bootFacts();
const signedIn = bootFacts({ user: user("user") });
const refused = new ApiError("internal", "No.", 500);

describe("login", () => {
  it("puts the facts in force, tells, then looks at the address anew", async () => {
    const { session, log } = scene(signedOut, { "/account/login": { boot: signedIn } });
    await session.login("alice", "secret");
    assert.deepEqual(log, ["request /account/login", "facts - user", "didLogin user", "revisit login here"]);
    assert.equal(session.boot, signedIn);
  });

  it("refused changes nothing", async () => {
    const { session, log } = scene(signedOut, { "/account/login": refused });
    await assert.rejects(session.login("alice", "wrong"), refused);
    assert.deepEqual(log, ["request /account/login"]);
    assert.equal(session.boot, signedOut);
  });

  it("by registering leads home", async () => {
    const { session, log } = scene(signedOut, { "/account/register": { boot: signedIn } });
    await session.register({ username: "alice" });
    assert.deepEqual(log, ["request /account/register", "facts - user", "didLogin user", "revisit login /"]);
  });
});

describe("logout", () => {
  it("leaves before the request is sent", async () => {
    const { session, log } = scene(signedIn, { "/account/logout": { boot: signedOut } });
    await session.logout();
    assert.deepEqual(log, [
      "leave logout", "willLogout", "request /account/logout", "facts user -", "didLogout -", "revisit logout /",
    ]);
  });

  it("that failed enters the view again", async () => {
    const { session, log } = scene(signedIn, { "/account/logout": refused });
    await assert.rejects(session.logout(), refused);
    assert.deepEqual(log, ["leave logout", "willLogout", "request /account/logout", "again replace"]);
    assert.equal(session.boot, signedIn);
  });

  it("goes on when a listener fails", async () => {
    const { session, log } = scene(signedIn, { "/account/logout": { boot: signedOut } });
    const reported = mock.method(console, "error", () => undefined);
    session.listen({
      willLogout: () => {
        throw new Error("listener");
      },
    });
    await session.logout();
    assert.equal(log.at(-1), "revisit logout /");
    assert.equal(reported.mock.callCount(), 1);
    reported.mock.restore();
  });
});

describe("a session that ended on the server", () => {
  it("goes the way of a logout and keeps the address", async () => {
    const { session, log } = scene(recordedFacts({ user: user("user") }), { csrf: { csrf: "fresh" } });
    await Promise.all([session.ended(), session.ended()]);
    assert.deepEqual(log, ["leave logout", "willLogout", "request csrf", "facts user -", "didLogout -", "revisit logout here"]);
    assert.deepEqual([session.boot.user, session.boot.csrf, session.boot.telemetry.posthog?.person], [null, "fresh", null]);
  });

  it("ends, too, where no new token can be had", async () => {
    const { session } = scene(signedIn, { csrf: refused });
    await session.ended();
    assert.deepEqual([session.boot.user, session.boot.csrf], [null, "token"]);
  });

  it("is nothing when nobody is signed in", async () => {
    const { session, log } = scene(signedOut, {});
    await session.ended();
    assert.deepEqual(log, []);
  });
});

describe("the privacy choice", () => {
  const out = bootFacts({ user: user("user", true) });

  it("to opt out is told, and ends no stay", () => {
    const { session, log } = scene(signedIn, {});
    session.changedPrivacy(out);
    assert.deepEqual(log, ["facts user user", "didChangePrivacy true"]);
  });

  it("to opt in ends the unrecorded stay before it is told, and starts a new one", () => {
    const { session, log } = scene(out, {});
    session.changedPrivacy(signedIn);
    assert.deepEqual(log, ["leave visit", "facts user user", "didChangePrivacy false", "again opt_in"]);
  });

  it("that stays the same is no new visit", () => {
    const { session, log } = scene(signedIn, {});
    session.changedPrivacy(signedIn);
    assert.deepEqual(log, ["facts user user", "didChangePrivacy false"]);
  });
});

it("other facts are put in force without a word", () => {
  const { session, log } = scene(signedIn, {});
  session.setBoot({ ...signedIn, version: "2" });
  assert.deepEqual([log, session.boot.version], [["facts user user"], "2"]);
});
