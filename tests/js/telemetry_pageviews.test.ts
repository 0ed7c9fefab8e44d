import assert from "node:assert/strict";
import { test } from "node:test";

import { createAnnouncer } from "../../static/js/announcer.ts";
import { EngagementClock } from "../../static/js/telemetry/clock.ts";
import { createPageviews } from "../../static/js/telemetry/pageviews.ts";
import type { Bearer, PageEvent } from "../../static/js/telemetry/types.ts";
import type { NavType, Visit } from "../../static/js/visit.ts";

const ALICE: Bearer = { person: { distinct_id: "u_alice", ticket: "a" }, role: "user" };
const BOB: Bearer = { person: { distinct_id: "u_bob", ticket: "b" }, role: "admin" };
const NOBODY: Bearer = { person: null, role: "anonymous" };

class FakeDocument extends EventTarget {
  visibilityState: DocumentVisibilityState = "visible";
  prerendering = false;

  show(): void {
    this.visibilityState = "visible";
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

interface Setting {
  pageleave?: "route" | "exit";
  from?: number;
  seenAt?: number;
  activatedAt?: number;
  before?: (stage: Stage) => void;
}

class Stage {
  announcer = createAnnouncer();
  document = new FakeDocument();
  events: PageEvent[] = [];
  now = 0;
  bearer = ALICE;
  depth = 0.25;
  pageviews: { leave(): void; stop(): void };
  #next = 0;

  constructor(setting: Setting = {}) {
    setting.before?.(this);
    this.pageviews = createPageviews({
      router: this.announcer,
      pageleave: setting.pageleave ?? "route",
      version: "0.1.0",
      from: setting.from ?? 0,
      seenAt: setting.seenAt ?? 0,
      bearer: () => this.bearer,
      emit: (event) => this.events.push(event),
      clock: new EngagementClock(true),
      scroll: { begin: () => undefined, depth: () => this.depth, stop: () => undefined },
      page: {
        document: this.document,
        now: () => this.now,
        epoch: (at) => 1_000_000 + at,
        activatedAt: setting.activatedAt ?? 0,
        uuid: () => `leave-${this.#next++}`,
      },
    });
  }

  enter(route: string, navType: NavType = "push", change: Partial<Visit> = {}): Visit {
    const visit: Visit = {
      id: `${route}-${navType}-${this.now}`,
      route,
      pattern: `/${route}`,
      params: {},
      url: `http://x/${route}`,
      navType,
      startedAt: Math.max(0, this.now - 40),
      enteredAt: this.now,
      state: "entered",
      ...change,
    };
    this.announcer.enter(visit);
    return visit;
  }

  leave(visit: Visit, reason: "visit" | "pagehide" | "logout" = "visit", to?: string): void {
    this.announcer.leave(visit, to === undefined ? { reason, at: this.now } : { reason, at: this.now, to });
  }

  names(): string[] {
    return this.events.map(({ name, visit }) => `${name} ${visit.route} ${visit.navType}`);
  }
}

test("pageviews: a view and its leave", () => {
  const stage = new Stage();
  stage.now = 200;
  const subjects = { team: "t_1", project: "p_1" };
  const visit = stage.enter("team", "load", { startedAt: 0, subjects, redirectedFrom: "home" });
  stage.now = 1200;
  stage.leave(visit, "visit", "project");
  const common = {
    route: "team", route_pattern: "/team", redirected_from: "home", nav_type: "load", view_id: visit.id, view_index: 0,
    load_ms: 200, team: "t_1", project: "p_1", app_version: "0.1.0", role: "user", source: "router",
  };
  assert.deepEqual(stage.events, [
    { name: "$pageview", uuid: visit.id, at: 1_000_200, visit, bearer: ALICE, properties: common, ended: null, final: false },
    {
      name: "$pageleave",
      uuid: "leave-0",
      at: 1_001_200,
      visit,
      bearer: ALICE,
      properties: { ...common, engaged_ms: 1000, total_ms: 1000, scroll_depth: 0.25, to_route: "project" },
      ended: { view_id: visit.id, route_pattern: "/team", total_ms: 1000, scroll_depth: 0.25 },
      final: false,
    },
  ]);
});

test("pageviews: the pair carries where it came from and its place in the row", () => {
  const stage = new Stage();
  stage.leave(stage.enter("home", "load"), "visit", "team");
  stage.leave(stage.enter("team", "push", { from: "home" }), "visit", "home");
  assert.deepEqual(stage.events.map(({ properties: p }) => [p.route, p.from_route, p.view_index]), [
    ["home", undefined, 0], ["home", undefined, 0], ["team", "home", 1], ["team", "home", 1],
  ]);
});

test("pageviews: exit tells one leave, and of each view before with the next", () => {
  const stage = new Stage({ pageleave: "exit" });
  const first = stage.enter("home", "load");
  stage.now = 500;
  stage.leave(first, "visit", "team");
  const second = stage.enter("team", "push", { from: "home" });
  stage.now = 900;
  stage.leave(second, "pagehide");
  assert.deepEqual(stage.names(), ["$pageview home load", "$pageview team push", "$pageleave team push"]);
  assert.deepEqual(stage.events.map(({ ended }) => ended?.view_id), [undefined, first.id, second.id]);
  assert.deepEqual(stage.events.map(({ final }) => final), [false, false, true]);
});

test("pageviews: in route mode no view tells of the one before", () => {
  const stage = new Stage();
  stage.leave(stage.enter("home", "load"), "visit", "team");
  stage.enter("team", "push");
  assert.equal(stage.events[2]?.ended, null);
});

test("pageviews: the back/forward cache begins a new page life", () => {
  const stage = new Stage({ pageleave: "exit" });
  stage.leave(stage.enter("home", "load"), "pagehide");
  stage.now = 60_000;
  const again = stage.enter("home", "bfcache", { startedAt: 59_990 });
  stage.now = 61_000;
  stage.leave(again, "pagehide");
  assert.deepEqual(stage.names(), [
    "$pageview home load", "$pageleave home load", "$pageview home bfcache", "$pageleave home bfcache",
  ]);
  assert.equal(stage.events[2]?.ended, null);
  assert.equal(stage.events[3]?.properties.view_index, 1);
  assert.deepEqual(stage.events[3]?.ended, {
    view_id: again.id, route_pattern: "/home", total_ms: 1000, scroll_depth: 0.25,
  });
});

test("pageviews: a page that comes back out of sight waits until it is seen", () => {
  const stage = new Stage();
  stage.leave(stage.enter("home", "load"), "pagehide");
  stage.document.visibilityState = "hidden";
  stage.now = 1000;
  const visit = stage.enter("home", "bfcache");
  assert.equal(stage.events.length, 2);
  stage.now = 3000;
  stage.document.show();
  stage.now = 3500;
  stage.leave(visit, "pagehide");
  assert.deepEqual(stage.events.slice(2).map(({ name, at }) => [name, at]), [
    ["$pageview", 1_003_000], ["$pageleave", 1_003_500],
  ]);
  assert.equal((stage.events[3]?.properties as { total_ms: number }).total_ms, 500);
});

test("pageviews: a page that comes back and goes unseen is not counted", () => {
  const stage = new Stage();
  stage.leave(stage.enter("home", "load"), "pagehide");
  stage.document.visibilityState = "hidden";
  const visit = stage.enter("home", "bfcache");
  stage.leave(visit, "pagehide");
  stage.document.show();
  assert.equal(stage.events.length, 2);
});

test("pageviews: another person's story begins with nothing of the one before", () => {
  const stage = new Stage({ pageleave: "exit" });
  stage.leave(stage.enter("team", "load"), "logout");
  stage.bearer = NOBODY;
  const login = stage.enter("login", "logout", { from: "team" });
  stage.bearer = BOB;
  stage.leave(login, "visit", "home");
  const home = stage.enter("home", "login", { from: "login" });
  stage.leave(home, "visit", "team");
  stage.enter("team", "push", { from: "home" });
  assert.deepEqual(
    stage.events.map(({ name, bearer, ended, properties: p }) =>
      [name, bearer.person?.distinct_id, p.role, p.route, p.from_route, p.view_index, ended?.view_id]),
    [
      ["$pageview", "u_alice", "user", "team", undefined, 0, undefined],
      ["$pageleave", "u_alice", "user", "team", undefined, 0, "team-load-0"],
      ["$pageview", undefined, "anonymous", "login", undefined, 0, undefined],
      ["$pageview", "u_bob", "admin", "home", undefined, 0, undefined],
      ["$pageview", "u_bob", "admin", "team", "home", 1, "home-login-0"],
    ],
  );
});

test("pageviews: what was before telemetry was allowed is not counted, nor left", () => {
  const stage = new Stage({ from: 100 });
  stage.now = 50;
  const early = stage.enter("account", "load");
  stage.now = 150;
  stage.leave(early, "visit", "account");
  stage.enter("account", "opt_in");
  assert.deepEqual(stage.names(), ["$pageview account opt_in"]);
});

test("pageviews: told late, the past is counted as it was", () => {
  const stage = new Stage({
    before(before) {
      before.now = 100;
      const home = before.enter("home", "load", { startedAt: 0 });
      before.now = 400;
      before.leave(home, "visit", "team");
      before.now = 450;
      before.enter("team", "push", { from: "home" });
      before.now = 2000;
    },
  });
  assert.deepEqual(stage.events.map(({ name, at }) => [name, at]), [
    ["$pageview", 1_000_100], ["$pageleave", 1_000_400], ["$pageview", 1_000_450],
  ]);
});

test("pageviews: what nobody saw is not counted; the present view begins when it is seen", () => {
  const stage = new Stage({
    seenAt: 5000,
    activatedAt: 5000,
    before(before) {
      before.now = 100;
      const home = before.enter("home", "load", { startedAt: 0 });
      before.now = 400;
      before.leave(home, "visit", "team");
      before.now = 450;
      before.enter("team", "load", { startedAt: 0, from: "home" });
      before.now = 5100;
    },
  });
  assert.deepEqual(stage.events.map(({ name, at, visit, properties }) => [name, visit.route, at, properties.load_ms]), [
    ["$pageview", "team", 1_005_000, 0],
  ]);
});

test("pageviews: a view seen late and left before telemetry came", () => {
  const stage = new Stage({
    seenAt: 300,
    before(before) {
      before.now = 100;
      const home = before.enter("home", "load", { startedAt: 0 });
      before.now = 400;
      before.leave(home, "visit", "team");
      before.now = 450;
      before.enter("team", "push", { from: "home" });
    },
  });
  assert.deepEqual(stage.events.map(({ name, at }) => [name, at]), [
    ["$pageview", 1_000_300], ["$pageleave", 1_000_400], ["$pageview", 1_000_450],
  ]);
});

test("pageviews: nothing negative when clocks disagree", () => {
  const stage = new Stage();
  stage.now = 100;
  const visit = stage.enter("home", "push", { startedAt: 900 });
  stage.announcer.leave(visit, { reason: "visit", at: 50 });
  const properties = stage.events.map(({ properties: p }) => p as Record<string, unknown>);
  assert.deepEqual(properties.map((p) => [p["load_ms"], p["total_ms"], p["engaged_ms"]]), [
    [0, undefined, undefined], [0, 0, 0],
  ]);
});

test("pageviews: a leave told twice is one; a leave of a stranger is none", () => {
  const stage = new Stage();
  const visit = stage.enter("home", "load");
  stage.leave(visit);
  stage.leave(visit);
  stage.leave({ ...visit, id: "other" });
  assert.deepEqual(stage.names(), ["$pageview home load", "$pageleave home load"]);
});

test("pageviews: ends the present view on demand, once", () => {
  const stage = new Stage({ pageleave: "exit" });
  const visit = stage.enter("home", "load");
  stage.now = 700;
  stage.pageviews.leave();
  stage.pageviews.leave();
  stage.leave(visit, "pagehide");
  assert.deepEqual(stage.names(), ["$pageview home load", "$pageleave home load"]);
});

test("pageviews: stopped, it hears nothing", () => {
  const stage = new Stage();
  stage.pageviews.stop();
  stage.enter("home", "load");
  assert.deepEqual(stage.events, []);
});
