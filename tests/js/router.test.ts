import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

import { Instead, Redirect, Scene } from "./router_fake.ts";

const ENTRY = new URL("../../static/js/router.ts", import.meta.url);

describe("the first visit", () => {
  it("is entered after the paint, from the start of the page", async () => {
    const scene = new Scene("http://x/team/a?x=1");
    scene.browser.time = 40;
    scene.router.start();
    await scene.loading.done({ subjects: { team: "t_1" } });
    assert.deepEqual(scene.take(), ["render team:a"]);
    scene.browser.time = 90;
    scene.browser.paint();
    assert.deepEqual(scene.take(), ["enter team:a load from -"]);
    assert.deepEqual(scene.announcer.current, {
      id: "id2", route: "team", pattern: "/team/:team", params: { team: "a" }, url: "http://x/team/a?x=1",
      navType: "load", startedAt: 0, enteredAt: 90, state: "entered", subjects: { team: "t_1" },
    });
  });

  it("goes through its states by name", async () => {
    const scene = await Scene.at("http://x/");
    assert.deepEqual(scene.states, ["home started", "home loading", "home rendered", "home entered"]);
  });

  for (const loadType of ["reload", "back_forward"] as const) {
    it(`tells a ${loadType} and puts the scroll position back`, async () => {
      const scene = new Scene("http://x/", (one) => (one.browser.loadType = loadType));
      scene.router.start();
      await scene.arrive();
      assert.deepEqual(scene.take(), ["render home", `enter home ${loadType} from -`]);
      assert.deepEqual(scene.scrolled, ["restore id1"]);
    });
  }

  it("shows what is not there at the address asked for", async () => {
    const scene = new Scene("http://x/nowhere/at/all");
    scene.router.start();
    await scene.arrive();
    assert.deepEqual(scene.take(), ["render not_found", "enter not_found load from -"]);
    assert.equal(scene.announcer.current?.pattern, "/not_found");
    assert.equal(scene.browser.path, "/nowhere/at/all");
  });

  it("keeps the key of an entry that has one", () => {
    const scene = new Scene("http://x/", (one) => (one.browser.entry.state = { key: "kept" }));
    scene.router.start();
    assert.deepEqual(scene.browser.entry.state, { key: "kept" });
  });
});

describe("a push", () => {
  it("leaves before the address changes, enters after the paint", async () => {
    const scene = await Scene.at("http://x/");
    scene.announcer.listen({ leave: () => scene.log.push(`at ${scene.browser.path}`) });
    scene.router.navigate("/team/a");
    assert.equal(scene.browser.path, "/");
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave home visit to team", "at /", "render team:a", "enter team:a push from home"]);
    assert.equal(scene.browser.path, "/team/a");
    assert.deepEqual(scene.scrolled, ["top"]);
    assert.equal(scene.browser.entries.length, 2);
  });

  it("with replace keeps the number of entries", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a", { replace: true });
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave home visit to team", "render team:a", "enter team:a replace from home"]);
    assert.equal(scene.browser.entries.length, 1);
  });

  it("to other parameters is a visit of its own", async () => {
    const scene = await Scene.at("http://x/team/a");
    scene.router.navigate("/team/b");
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave team:a visit to team", "render team:b", "enter team:b push from team"]);
  });

  it("goes to the element of its hash", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a#end");
    await scene.arrive();
    assert.deepEqual(scene.scrolled, ["#end"]);
  });

  it("takes a static segment before a parameter", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/create");
    await scene.arrive();
    assert.equal(scene.announcer.current?.route, "team_create");
  });

  it("to an unknown path shows not_found there", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/nope");
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave home visit to not_found", "render not_found", "enter not_found push from home"]);
  });

  it("from one unknown path to another is another visit", async () => {
    const scene = await Scene.at("http://x/nope");
    scene.router.navigate("/neither");
    await scene.arrive();
    assert.deepEqual(scene.take(), [
      "leave not_found visit to not_found", "render not_found", "enter not_found push from not_found",
    ]);
  });
});

describe("clicks that are no visit", () => {
  it("a second click on the same link waits for the first", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    scene.router.navigate("/team/a");
    assert.equal(scene.loads.length, 2);
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave home visit to team", "render team:a", "enter team:a push from home"]);
    assert.equal(scene.browser.entries.length, 2);
  });

  it("a click on where one is goes to the top", async () => {
    const scene = await Scene.at("http://x/team/a");
    scene.router.navigate("/team/a");
    assert.deepEqual([scene.take(), scene.loads.length, scene.scrolled], [[], 1, ["top"]]);
    assert.equal(scene.browser.entries.length, 1);
  });

  it("a click on where one is calls off what was on its way", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    scene.router.navigate("/");
    assert.equal(scene.loads[1]?.signal.aborted, true);
    await scene.arrive();
    assert.deepEqual(scene.take(), []);
    assert.equal(scene.browser.path, "/");
    assert.equal(scene.waiting.at(-1), null);
  });
});

describe("updates", () => {
  it("a changed query loads again, and is announced as an update once it is there", async () => {
    const scene = await Scene.at("http://x/insights");
    scene.router.navigate("?from=2026-01-01");
    assert.deepEqual(scene.take(), []);
    await scene.arrive();
    assert.deepEqual(scene.take(), ["renew insights", "update /insights?from=2026-01-01"]);
    assert.deepEqual(scene.scrolled, []);
    assert.equal(scene.announcer.current?.id, "id2");
    assert.equal(scene.browser.entries.length, 2);
  });

  it("a changed query with load: false changes the address only", async () => {
    const scene = await Scene.at("http://x/insights");
    scene.router.navigate("?view=table", { load: false, replace: true });
    assert.deepEqual(scene.take(), ["update /insights?view=table"]);
    assert.equal(scene.loads.length, 1);
    assert.equal(scene.browser.entries.length, 1);
  });

  it("a changed hash loads nothing and goes to the element", async () => {
    const scene = await Scene.at("http://x/insights");
    scene.router.navigate("#b");
    assert.deepEqual(scene.take(), ["update /insights#b"]);
    assert.deepEqual(scene.scrolled, ["#b"]);
    assert.equal(scene.loads.length, 1);
  });

  it("the newest of two queries wins", async () => {
    const scene = await Scene.at("http://x/insights");
    scene.router.navigate("?a=1");
    scene.router.navigate("?a=2");
    await scene.loads[2]?.done();
    await scene.loads[1]?.done();
    assert.deepEqual(scene.take(), ["renew insights", "update /insights?a=2"]);
  });

  it("back over a query is an update, not a visit", async () => {
    const scene = await Scene.at("http://x/insights");
    scene.router.navigate("?a=1");
    await scene.arrive();
    scene.take();
    scene.browser.go(-1);
    await scene.arrive();
    assert.deepEqual(scene.take(), ["renew insights", "update /insights"]);
    assert.deepEqual(scene.scrolled, ["restore id1"]);
  });

  it("an update before the paint enters the visit first", async () => {
    const scene = new Scene("http://x/insights");
    scene.router.start();
    await scene.loading.done();
    scene.router.navigate("#b");
    scene.browser.paint();
    assert.deepEqual(scene.take(), ["render insights", "enter insights load from -", "update /insights#b"]);
  });

  it("a failed update keeps the visit, and can be tried again", async () => {
    const scene = await Scene.at("http://x/insights");
    scene.router.navigate("?a=1");
    await scene.loading.fail(new Error("500"));
    assert.deepEqual(scene.take(), ["fail insights: 500"]);
    scene.router.retry();
    await scene.arrive();
    assert.deepEqual(scene.take(), ["renew insights", "update /insights?a=1"]);
  });
});

describe("back and forward", () => {
  it("are visits named pop, scrolled to where they were", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    await scene.arrive();
    scene.take();
    scene.browser.go(-1);
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave team:a visit to home", "render home", "enter home pop from team"]);
    scene.browser.go(1);
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave home visit to team", "render team:a", "enter team:a pop from home"]);
    assert.deepEqual(scene.scrolled, ["top", "restore id1", "restore id4"]);
    assert.equal(scene.browser.entries.length, 2);
  });

  it("and forward again before it was loaded is nothing", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    await scene.arrive();
    scene.take();
    scene.browser.go(-1);
    scene.browser.go(1);
    await scene.loading.done();
    assert.deepEqual(scene.take(), []);
    assert.equal(scene.waiting.at(-1), null);
  });

  it("during a push calls the push off", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    await scene.arrive();
    scene.router.navigate("/team/b");
    scene.take();
    scene.browser.go(-1);
    const [pushed, popped] = scene.loads.slice(-2);
    assert.equal(pushed?.signal.aborted, true);
    await pushed?.done();
    await popped?.done();
    scene.browser.paint();
    assert.deepEqual(scene.take(), ["leave team:a visit to home", "render home", "enter home pop from team"]);
  });

  it("before the router has started are the browser's", () => {
    const scene = new Scene("http://x/");
    scene.browser.fire("popstate");
    assert.equal(scene.loads.length, 0);
  });
});

describe("scroll positions", () => {
  it("are kept when a visit begins, not when its skeleton stands", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    assert.deepEqual(scene.saved, ["id1"]);
    scene.router.navigate("/team/b");
    scene.browser.go(0);
    await scene.arrive();
    assert.deepEqual(scene.saved, ["id1"]);
  });

  it("are kept when the page goes", async () => {
    const scene = await Scene.at("http://x/");
    scene.browser.fire("pagehide");
    assert.deepEqual(scene.saved, ["id1"]);
  });

  it("of the entry left are kept on the way back", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    await scene.arrive();
    scene.browser.go(-1);
    assert.deepEqual(scene.saved, ["id1", "id4"]);
  });
});

describe("races", () => {
  it("the newest visit wins, the older is aborted and never counted", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    scene.router.navigate("/team/b");
    await scene.loads[2]?.done();
    await scene.loads[1]?.done();
    scene.browser.paint();
    assert.deepEqual(scene.take(), ["leave home visit to team", "render team:b", "enter team:b push from home"]);
    assert.deepEqual(scene.states.filter((state) => state.endsWith("aborted")), ["team aborted"]);
    assert.equal(scene.browser.entries.length, 2);
  });

  it("an aborted visit that fails afterwards says nothing", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    scene.router.navigate("/team/b");
    await scene.loads[1]?.fail(new Error("late"));
    assert.deepEqual(scene.take(), []);
  });

  it("a view left before its paint is entered and left, in order", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    await scene.loading.done();
    scene.router.navigate("/team/b");
    await scene.loading.done();
    scene.browser.paint();
    assert.deepEqual(scene.take(), [
      "leave home visit to team", "render team:a", "enter team:a push from home",
      "leave team:a visit to team", "render team:b", "enter team:b push from team",
    ]);
  });

  it("ten clicks in a row give one visit", async () => {
    const scene = await Scene.at("http://x/");
    for (let index = 0; index < 10; index += 1) scene.router.navigate(`/team/t${index}`);
    for (const load of scene.loads.slice(1)) await load.done();
    scene.browser.paint();
    assert.deepEqual(scene.take(), ["leave home visit to team", "render team:t9", "enter team:t9 push from home"]);
  });

  it("waiting is told once for each start and end", async () => {
    const scene = await Scene.at("http://x/");
    scene.waiting = [];
    scene.router.navigate("/team/a");
    scene.router.navigate("/team/b");
    await scene.arrive();
    assert.deepEqual(scene.waiting, ["team", null, "team", null]);
  });
});

describe("redirects", () => {
  it("of a guard count once, with where they came from", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/old");
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave home visit to team", "render team:a", "enter team:a push from home"]);
    assert.equal(scene.announcer.current?.redirectedFrom, "old");
    assert.equal(scene.browser.entries.length, 2);
    assert.ok(scene.states.includes("old redirected"));
  });

  it("of a first load correct the address", async () => {
    const scene = new Scene("http://x/old");
    scene.router.start();
    await scene.arrive();
    assert.deepEqual(scene.take(), ["render team:a", "enter team:a load from -"]);
    assert.equal(scene.browser.path, "/team/a");
    assert.equal(scene.browser.entries.length, 1);
  });

  it("of a loader, in a chain, count once and name the first", async () => {
    const scene = await Scene.at("http://x/");
    scene.browser.time = 100;
    scene.router.navigate("/team/create");
    await scene.loading.fail(new Redirect("/insights"));
    scene.browser.time = 200;
    await scene.loading.fail(new Redirect("/team/z"));
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave home visit to team", "render team:z", "enter team:z push from home"]);
    assert.equal(scene.announcer.current?.redirectedFrom, "team_create");
    assert.equal(scene.announcer.current?.startedAt, 100);
  });

  it("to where one is are nothing", async () => {
    const scene = await Scene.at("http://x/team/a");
    scene.router.navigate("/old");
    assert.deepEqual(scene.take(), []);
    assert.equal(scene.browser.path, "/team/a");
  });

  it("in a circle end in an error", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/create");
    for (let turn = 0; turn < 11; turn += 1) await scene.loading.fail(new Redirect(`/team/t${turn}`));
    assert.deepEqual(scene.take(), ["leave home visit to -", "fail team:t9: Too many redirects"]);
  });

  it("called off by a newer visit go nowhere", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/create");
    scene.router.navigate("/team/b");
    await scene.loads[1]?.fail(new Redirect("/insights"));
    await scene.loads[2]?.done();
    scene.browser.paint();
    assert.deepEqual(scene.take(), ["leave home visit to team", "render team:b", "enter team:b push from home"]);
    assert.equal(scene.loads.length, 3);
  });
});

describe("guards", () => {
  it("show the login view at the same address", async () => {
    const scene = new Scene("http://x/team/a", (one) => (one.signedIn = false));
    scene.router.start();
    await scene.arrive();
    assert.deepEqual(scene.take(), ["render login", "enter login load from -"]);
    assert.equal(scene.browser.path, "/team/a");
    assert.equal(scene.announcer.current?.pattern, "/login");
    assert.deepEqual(scene.announcer.current?.params, {});
  });

  it("show not_found to whom a role is missing", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/admin");
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave home visit to not_found", "render not_found", "enter not_found push from home"]);
    assert.equal(scene.browser.path, "/admin");
  });

  it("and loaders can put another view in a view's place", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/gone");
    await scene.loading.fail(new Instead("not_found"));
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave home visit to not_found", "render not_found", "enter not_found push from home"]);
    assert.equal(scene.browser.path, "/team/gone");
    assert.deepEqual(scene.announcer.current?.params, {});
  });
});

describe("failures", () => {
  it("leave the old view, show the error at the new address, and are not counted", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    await scene.loading.fail(new Error("500"));
    assert.deepEqual(scene.take(), ["leave home visit to -", "fail team:a: 500"]);
    assert.equal(scene.browser.path, "/team/a");
    assert.equal(scene.announcer.current, null);
  });

  it("tried again are entered as what they were", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    await scene.loading.fail(new Error("500"));
    scene.take();
    scene.browser.time = 500;
    scene.router.retry();
    await scene.arrive();
    assert.deepEqual(scene.take(), ["render team:a", "enter team:a push from home"]);
    assert.equal(scene.announcer.current?.startedAt, 500);
    assert.equal(scene.browser.entries.length, 2);
  });

  it("of rendering are failures too", async () => {
    const scene = await Scene.at("http://x/");
    scene.renderFails = true;
    scene.router.navigate("/team/a");
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave home visit to team", "fail team:a: render"]);
    assert.equal(scene.browser.entries.length, 2);
  });

  it("let back lead to the view before", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    await scene.loading.fail(new Error("500"));
    scene.take();
    scene.browser.go(-1);
    await scene.arrive();
    assert.deepEqual(scene.take(), ["render home", "enter home pop from home"]);
  });
});

describe("the page's own life", () => {
  it("pagehide leaves; a return from the back/forward cache is a new visit", async () => {
    const scene = await Scene.at("http://x/team/a");
    scene.browser.fire("pagehide", { persisted: true });
    scene.browser.time = 700;
    scene.browser.fire("pageshow", { persisted: true });
    assert.deepEqual(scene.take(), ["leave team:a pagehide to -", "enter team:a bfcache from -"]);
    assert.deepEqual(scene.visits.map((visit) => visit.id), ["id2", "id3"]);
    assert.equal(scene.announcer.current?.startedAt, 700);
  });

  it("the first pageshow is no visit", async () => {
    const scene = await Scene.at("http://x/");
    scene.browser.fire("pageshow", { persisted: false });
    assert.deepEqual(scene.take(), []);
  });

  it("pagehide before the paint enters and leaves", async () => {
    const scene = new Scene("http://x/");
    scene.router.start();
    await scene.loading.done();
    scene.browser.fire("pagehide");
    scene.browser.paint();
    assert.deepEqual(scene.take(), ["render home", "enter home load from -", "leave home pagehide to -"]);
  });

  it("pagehide while nothing is shown says nothing", () => {
    const scene = new Scene("http://x/");
    scene.router.start();
    scene.browser.fire("pagehide");
    assert.deepEqual(scene.take(), []);
  });
});

describe("sessions", () => {
  it("logging in shows what stands at the address", async () => {
    const scene = new Scene("http://x/team/a", (one) => (one.signedIn = false));
    scene.router.start();
    await scene.arrive();
    scene.take();
    scene.signedIn = true;
    scene.router.revisit("login");
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave login visit to team", "render team:a", "enter team:a login from login"]);
    assert.equal(scene.browser.entries.length, 1);
  });

  it("logging out leaves first, then shows the login view", async () => {
    const scene = await Scene.at("http://x/team/a");
    scene.router.leave("logout");
    assert.deepEqual(scene.take(), ["leave team:a logout to -"]);
    scene.signedIn = false;
    scene.router.revisit("logout", "/");
    await scene.arrive();
    assert.deepEqual(scene.take(), ["render login", "enter login logout from team"]);
    assert.equal(scene.browser.path, "/");
  });

  it("a logout that failed enters the view again", async () => {
    const scene = await Scene.at("http://x/team/a");
    scene.router.leave("logout");
    scene.router.again("replace");
    assert.deepEqual(scene.take(), ["leave team:a logout to -", "enter team:a replace from -"]);
  });

  it("a logout that failed after the person went on doubles nothing", async () => {
    const scene = await Scene.at("http://x/team/a");
    scene.router.leave("logout");
    scene.router.navigate("/");
    await scene.arrive();
    scene.router.again("replace");
    assert.deepEqual(scene.take(), ["leave team:a logout to -", "render home", "enter home push from team"]);
  });

  it("nor where the view they went to is not painted yet", async () => {
    const scene = await Scene.at("http://x/team/a");
    scene.router.leave("logout");
    scene.router.navigate("/");
    await scene.loading.done();
    scene.router.again("replace");
    scene.browser.paint();
    assert.deepEqual(scene.take(), ["leave team:a logout to -", "render home", "enter home push from team"]);
  });

  it("a session that ends while loading asks for the login at the address wanted", async () => {
    const scene = await Scene.at("http://x/");
    scene.router.navigate("/team/a");
    scene.signedIn = false;
    scene.router.leave("logout");
    scene.router.revisit("logout");
    await scene.arrive();
    assert.deepEqual(scene.take(), ["leave home logout to -", "render login", "enter login logout from home"]);
    assert.equal(scene.browser.path, "/team/a");
    assert.equal(scene.browser.entries.length, 2);
  });

  it("opting in is a new visit of the same view", async () => {
    const scene = await Scene.at("http://x/team/a");
    scene.router.leave("visit");
    scene.router.again("opt_in");
    assert.deepEqual(scene.take(), ["leave team:a visit to -", "enter team:a opt_in from -"]);
  });
});

describe("refresh", () => {
  it("renders new data and announces nothing", async () => {
    const scene = await Scene.at("http://x/team/a");
    const done = scene.router.refresh();
    await scene.loading.done();
    await done;
    assert.deepEqual(scene.take(), ["renew team:a"]);
  });

  it("is dropped when a visit came between", async () => {
    const scene = await Scene.at("http://x/team/a");
    const done = scene.router.refresh();
    scene.router.navigate("/team/b");
    await scene.arrive();
    await scene.loads[1]?.done();
    await done;
    assert.deepEqual(scene.take(), ["leave team:a visit to team", "render team:b", "enter team:b push from team"]);
  });

  it("tells its caller when it failed", async () => {
    const scene = await Scene.at("http://x/team/a");
    const done = scene.router.refresh();
    const refused = assert.rejects(done, /500/);
    await scene.loading.fail(new Error("500"));
    await refused;
    assert.deepEqual(scene.take(), []);
  });
});

it("the router imports nothing that runs", () => {
  const imports = readFileSync(ENTRY, "utf8").match(/^(?:import|export) (?!type\b).*\bfrom\b.*$/gm) ?? [];
  assert.deepEqual(imports, []);
});
