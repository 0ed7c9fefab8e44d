// The smallest page that has everything telemetry listens to: the real router, the real session, plain views.

import { createAnnouncer } from "../../../static/js/announcer.ts";
import { createApi } from "../../../static/js/api.ts";
import { readBoot } from "../../../static/js/boot.ts";
import { browserEnvironment } from "../../../static/js/browser.ts";
import { routes, virtualRoutes, type RouteName } from "../../../static/js/generated/routes.ts";
import { compile } from "../../../static/js/matching.ts";
import { createRouter, Redirect } from "../../../static/js/router.ts";
import { createScroller } from "../../../static/js/scroll.ts";
import { createSession, type Session } from "../../../static/js/session.ts";
import { observe } from "../../../static/js/observing.ts";
import { tellBounce } from "../../../static/js/telemetry/bounce.ts";
import { CHANNEL } from "../../../static/js/telemetry/permission.ts";
import type { Visit } from "../../../static/js/visit.ts";

const announcer = createAnnouncer<RouteName>();
const truth: { what: string; route: string; id: string; nav: string; at: number }[] = [];
let failing = false;

// What has been announced is the ground truth; it outlives the page's life in the back/forward cache only.
announcer.listen({
  enter: (visit) => note("enter", visit),
  leave: (visit) => note("leave", visit),
});

function note(what: string, visit: Visit): void {
  truth.push({ what, route: visit.route, id: visit.id, nav: visit.navType, at: performance.now() });
}

const router = createRouter<RouteName, { subjects?: { team?: string; project?: string } }>({
  match: compile(routes),
  virtual: virtualRoutes,
  notFound: "not_found",
  guard: (found) => (session.boot.user || found.route === "register" ? null : { instead: "login" }),
  async load(visit, signal) {
    if (visit.route === "team_settings") throw new Redirect(`/team/${visit.params["team"] ?? ""}/members`);
    if (visit.route === "project_flows") await new Promise((done) => setTimeout(done, 60));
    signal.throwIfAborted();
    if (failing) throw new Error("Loading failed");
    const team = visit.params["team"];
    return team ? { subjects: { team: `t_${team.toLowerCase().padEnd(26, "a")}` } } : {};
  },
  render(visit) {
    document.title = `Secret of ${location.pathname}`;
    const main = document.querySelector("main");
    if (main) main.textContent = visit.route;
    document.body.className = visit.route === "project" ? "tall" : "";
  },
  fail: () => undefined,
  waiting: () => undefined,
  scroll: createScroller(window),
  announce: announcer,
  environment: browserEnvironment(window),
});

const api = createApi({
  fetch: (url, init) => fetch(url, init),
  csrf: { get: () => session.boot.csrf, set: () => undefined },
  onChange: () => undefined,
  onSessionEnd: () => void session.ended(),
});
const session: Session = createSession(readBoot(document), {
  api,
  leaving: () => router.leave("logout"),
  revisit: (navType, to) => router.revisit(navType, to),
  again: (navType) => router.again(navType),
  changed: () => undefined,
});

let telemetry: { stop(): void } | null = null;
observe({
  announcer,
  session,
  signals: navigator as Navigator & { globalPrivacyControl?: boolean },
  channel: new BroadcastChannel(CHANNEL),
  idle: (callback) => requestIdleCallback(callback, { timeout: 2000 }),
  later: (callback, milliseconds) => setTimeout(callback, milliseconds),
  async begin(known) {
    if (location.search.includes("bare=1")) return;
    const { start } = await import("../../../static/js/telemetry/index.ts");
    telemetry = start({ router: announcer, session, ...known });
  },
  onLeave(callback) {
    addEventListener("pagehide", () => callback(true));
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && callback(false));
  },
  tell: ({ bearer, told }) => tellBounce({ router: announcer, session, bearer, told, page: window }),
});

Object.assign(window, {
  harness: {
    router,
    session,
    truth,
    go: (to: string, options?: object) => router.navigate(to, options),
    async optOut(out: boolean) {
      const { boot } = await api.put<{ boot: typeof session.boot }>("user/privacy", { opt_out: out });
      session.changedPrivacy(boot);
    },
    failNext: (value: boolean) => (failing = value),
    stop: () => telemetry?.stop(),
  },
});
router.start();
