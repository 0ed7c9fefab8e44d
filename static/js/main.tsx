// Wires the page, and does nothing else.

import { createAhead } from "./ahead.ts";
import { createAnnouncer } from "./announcer.ts";
import { createApi, type Api } from "./api.ts";
import { readBoot } from "./boot.ts";
import { browserEnvironment } from "./browser.ts";
import "./core.ts";
import { routes, virtualRoutes, type RouteName } from "./generated/routes.ts";
import { guard } from "./guard.ts";
import { followLinks } from "./links.ts";
import { createLoading, type Loaded } from "./loading.ts";
import { compile } from "./matching.ts";
import { observe } from "./observing.ts";
import { createRouter } from "./router.ts";
import { createScroller } from "./scroll.ts";
import { createSession, type Session } from "./session.ts";
import { createStage } from "./stage.ts";
import { tellBounce } from "./telemetry/bounce.ts";
import { CHANNEL } from "./telemetry/permission.ts";
import { applyTheme, readTheme } from "./theme.ts";
import type { RouteDef, RouteMatch, Router, Verdict, VirtualDef } from "./visit.ts";

applyTheme(readTheme());

const table: readonly RouteDef<RouteName>[] = routes;
const virtual: readonly VirtualDef<RouteName>[] = virtualRoutes;
const match = compile(table);
const announcer = createAnnouncer<RouteName>();

// The sign-in view says why it stands there where somebody was in the middle of something.
let ended = false;

const api: Api = createApi({
  fetch: (url, init) => fetch(url, init),
  csrf: {
    get: () => session.boot.csrf,
    set: (csrf) => session.setBoot({ ...session.boot, csrf }),
  },
  onSessionEnd() {
    ended ||= session.boot.user !== null;
    void session.ended();
  },
  onChange: () => ahead.clear(),
});

const session: Session = createSession(readBoot(document), {
  api,
  leaving: (reason) => router.leave(reason),
  revisit: (navType, to) => router.revisit(navType, to),
  again: (navType) => router.again(navType),
  changed(before, now) {
    ahead.clear();
    // Who signs in or out sees it with the next view, not around the present one.
    if (before.user?.id === now.user?.id) stage.redraw();
  },
});

const loading = createLoading(api, session);
const stage = createStage({ page: document, api, session, loading, ended: () => ended, router: () => router });
session.listen({ didLogin: () => (ended = false) });

function mayShow(found: RouteMatch<RouteName>): Verdict<RouteName> | null {
  const route = table.find((one) => one.name === found.route);
  return route ? guard(route, session.boot) : null;
}

const ahead = createAhead<Loaded>((url, signal) => {
  const found = match(new URL(url).pathname);
  if (!found || mayShow(found)) return Promise.reject(new Error("Nothing to fetch"));
  return loading.load({ ...found, url }, signal);
}, () => performance.now());

const router: Router = createRouter<RouteName, Loaded>({
  match,
  virtual,
  notFound: "not_found",
  guard: mayShow,
  load: (visit, signal) => ahead.take(visit.url) ?? loading.load(visit, signal),
  render: stage.render,
  fail: stage.fail,
  waiting: stage.waiting,
  scroll: createScroller(window),
  announce: announcer,
  environment: browserEnvironment(window),
});

followLinks({
  document,
  origin: location.origin,
  knows: (url) => match(url.pathname) !== null,
  navigate: (to) => router.navigate(to),
  prefetch(url) {
    const thrifty = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData === true;
    if (url.href !== location.href && !thrifty) ahead.fetch(url.href);
  },
  later(callback, milliseconds) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
});

observe({
  announcer,
  session,
  signals: navigator as Navigator & { globalPrivacyControl?: boolean },
  channel: new BroadcastChannel(CHANNEL),
  idle: (callback) => ("requestIdleCallback" in window ? requestIdleCallback(callback, { timeout: 2000 }) : setTimeout(callback, 200)),
  later: (callback, milliseconds) => setTimeout(callback, milliseconds),
  async begin(known) {
    const telemetry = await import("./telemetry/index.ts");
    telemetry.start({ router: announcer, session, ...known });
  },
  onLeave(callback) {
    addEventListener("pagehide", () => callback(true));
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && callback(false));
  },
  tell: ({ bearer, told }) => tellBounce({ router: announcer, session, bearer, told, page: window }),
});

router.start();
