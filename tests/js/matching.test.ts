import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { routes } from "../../static/js/generated/routes.ts";
import { compile, pathTo } from "../../static/js/matching.ts";
import { ROUTES } from "./router_fake.ts";

const match = compile(ROUTES);

describe("matching", () => {
  const cases: readonly (readonly [string, string | null, Record<string, string>])[] = [
    ["/", "home", {}],
    ["/team/a", "team", { team: "a" }],
    ["/team/a/", "team", { team: "a" }],
    ["/team/create", "team_create", {}],
    ["/team/create/members", "members", { team: "create" }],
    ["/team/a%2Fb", "team", { team: "a/b" }],
    ["/team/%C3%A9", "team", { team: "é" }],
    ["/team/a b", "team", { team: "a b" }],
    ["/team", null, {}],
    ["/team/", null, {}],
    ["/team//members", null, {}],
    ["/team/%", null, {}],
    ["/team/a/members/b", null, {}],
    ["//", null, {}],
    ["/Team/a", null, {}],
    ["/nowhere", null, {}],
  ];
  for (const [path, route, params] of cases) {
    it(`${path} is ${route ?? "nothing"}`, () => {
      const found = match(path);
      assert.equal(found?.route ?? null, route);
      if (found) assert.deepEqual(found.params, params);
    });
  }

  it("does not depend on the table's order", () => {
    assert.equal(compile(ROUTES.toReversed())("/team/create")?.route, "team_create");
  });

  it("finds every route of the plan by its own pattern", () => {
    const find = compile(routes);
    for (const { name, pattern } of routes) {
      const path = pathTo(pattern, { team: "7x", project: "7x" });
      assert.deepEqual([find(path)?.route, find(path)?.pattern], [name, pattern]);
    }
  });
});

describe("paths", () => {
  it("escape their parameters", () => assert.equal(pathTo("/team/:team", { team: "a/b ?#" }), "/team/a%2Fb%20%3F%23"));
  it("need their parameters", () => assert.throws(() => pathTo("/team/:team"), /needs team/));
});
