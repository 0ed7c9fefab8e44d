import assert from "node:assert/strict";
import { describe, it } from "node:test";

import type { Role } from "../../static/js/boot.ts";
import { guard } from "../../static/js/guard.ts";
import type { RouteDef } from "../../static/js/visit.ts";
import { bootFacts, user } from "./boot_facts.ts";

type Asked = Pick<RouteDef, "who" | "when">;

const HOME: Asked = { who: "user", when: null };
const INSIGHTS: Asked = { who: "analyst", when: null };
const ADMIN: Asked = { who: "admin", when: null };
const OPEN: Asked = { who: "anyone", when: null };
const SETUP: Asked = { who: "anyone", when: "setup" };
const SIGNUP: Asked = { who: "anyone", when: "signup" };

function verdict(route: Asked, role: Role | null, setup: object = {}): unknown {
  const facts = bootFacts({ user: role && user(role) });
  return guard(route, { ...facts, setup: { ...facts.setup, ...setup } });
}

describe("who may see what", () => {
  const login = { instead: "login" };
  const lost = { instead: "not_found" };
  const cases: readonly (readonly [string, Asked, readonly unknown[]])[] = [
    ["a user's page", HOME, [login, null, null, null]],
    ["an analyst's page", INSIGHTS, [login, lost, null, null]],
    ["an administrator's page", ADMIN, [login, lost, lost, null]],
    ["anyone's page", OPEN, [null, null, null, null]],
    ["set-up, once finished", SETUP, [lost, lost, lost, lost]],
    ["registering where it is off", SIGNUP, [lost, lost, lost, lost]],
  ];
  for (const [name, route, expected] of cases) {
    it(name, () => {
      const verdicts = ([null, "user", "analyst", "admin"] as const).map((role) => verdict(route, role));
      assert.deepEqual(verdicts, expected);
    });
  }

  it("registering where it is on: for those who have no account", () => {
    assert.equal(verdict(SIGNUP, null, { signup: true }), null);
    assert.deepEqual(verdict(SIGNUP, "user", { signup: true }), { redirect: "/" });
  });

  it("until set-up is finished: set-up", () => {
    assert.equal(verdict(SETUP, null, { finished: false }), null);
    for (const route of [HOME, ADMIN, OPEN, SIGNUP]) {
      assert.deepEqual(verdict(route, "admin", { finished: false, signup: true }), { redirect: "/setup" });
    }
  });
});
