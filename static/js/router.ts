// Visits, and nothing else: what runs here imports nothing, and knows neither views nor telemetry. The browser, the
// views and the listeners come as parameters.

import type { LeaveReason, NavType, RouteMatch, Router, RouterOptions, Subjects, Visit, VisitState } from "./visit.ts";

export type * from "./visit.ts";

/** Thrown by a loader: the view is elsewhere. Counts as one visit, to where the chain ends. */
export class Redirect extends Error {
  readonly to: string;

  constructor(to: string) {
    super(`Redirect to ${to}`);
    this.to = to;
  }
}

/** Thrown by a loader: another view stands at this address (`not_found`). */
export class Instead<N extends string = string> extends Error {
  readonly route: N;

  constructor(route: N) {
    super(`Show ${route} instead`);
    this.route = route;
  }
}

interface Plan<N extends string> {
  navType: NavType;
  history: "push" | "replace" | "none";
  scroll: "top" | "restore" | "keep";
  /** A change of query reloads the data. */
  load: boolean;
  /** A new visit even where route and parameters stay. */
  force: boolean;
  hops: number;
  startedAt: number;
  redirectedFrom?: N;
}

interface Attempt<N extends string> {
  url: URL;
  plan: Plan<N>;
  visit: Visit<N>;
  update: boolean;
  controller: AbortController;
}

const MOST_REDIRECTS = 10;

export function createRouter<N extends string, V extends { readonly subjects?: Subjects }>(
  options: RouterOptions<N, V>,
): Router {
  const { environment, announce, scroll } = options;
  const { history, location, now } = environment;
  let shown: Visit<N> | null = null;
  let entered = false;
  let lastLeft: N | undefined;
  let pending: Attempt<N> | null = null;
  let refreshing: AbortController | null = null;
  let failed: { url: URL; plan: Plan<N> } | null = null;
  let key = "";

  function plan(navType: NavType, change: Partial<Plan<N>> = {}): Plan<N> {
    const usual = { history: "none", scroll: "top", load: true, force: false, hops: 0, startedAt: now() } as const;
    return { ...usual, navType, ...change };
  }

  function step(visit: Visit<N>, change: Partial<Visit<N>>): Visit<N> {
    const next = { ...visit, ...change };
    options.trace?.(next);
    return next;
  }

  // --- from an address to a visit

  function begin(url: URL, how: Plan<N>): void {
    if (how.history !== "none") remember();
    const found = options.match(url.pathname);
    const verdict = found && options.guard(found);
    if (found && verdict && "redirect" in verdict) return redirect(found, url, verdict.redirect, how);
    const target = verdict && "instead" in verdict ? virtual(verdict.instead) : (found ?? virtual(options.notFound));
    const stays = shown !== null && !how.force && samePlace(shown, target, url);
    if (stays && shown && (url.href === shown.url || !how.load || sameButHash(url, shown.url))) {
      cancel();
      return adjust(shown, url, how);
    }
    if (pending?.url.href === url.href && pending.plan.history === how.history && !how.force) return;
    cancel();
    void attempt({ url, plan: how, visit: visitOf(target, url, how), update: stays, controller: new AbortController() });
  }

  function virtual(route: N): RouteMatch<N> {
    return { route, pattern: options.virtual.find((view) => view.name === route)?.pattern ?? "", params: {} };
  }

  /** A view is its route and parameters; one without an address of its own is also where it stands. */
  function samePlace(a: Visit<N>, b: RouteMatch<N>, url: URL): boolean {
    const addressed = !options.virtual.some((view) => view.name === b.route);
    return a.route === b.route && sameParams(a, b) && (addressed || new URL(a.url).pathname === url.pathname);
  }

  function visitOf(target: RouteMatch<N>, url: URL, how: Plan<N>): Visit<N> {
    const { navType, startedAt, redirectedFrom } = how;
    const visit: Visit<N> = {
      id: environment.uuid(), ...target, url: url.href, navType, startedAt, enteredAt: 0, state: "started",
    };
    return step(visit, redirectedFrom === undefined ? {} : { redirectedFrom });
  }

  function redirect(from: RouteMatch<N>, url: URL, to: string, how: Plan<N>): void {
    const next = new URL(to, url);
    step(visitOf(from, url, how), { state: "redirected" });
    if (how.hops >= MOST_REDIRECTS) {
      cancel();
      return giveUp(visitOf(from, url, how), how, new Error("Too many redirects"), false);
    }
    // The address of a pop or a first load is already in the bar: it has to be corrected, not added to.
    const correction = how.history === "none" ? "replace" : how.history;
    const redirectedFrom = how.redirectedFrom ?? from.route;
    begin(next, { ...how, history: correction, scroll: "top", hops: how.hops + 1, redirectedFrom });
  }

  // --- loading, of which the newest wins

  async function attempt(one: Attempt<N>): Promise<void> {
    pending = one;
    one.visit = step(one.visit, { state: "loading" });
    options.waiting(one.visit);
    try {
      const view = await options.load(one.visit, one.controller.signal);
      if (pending === one) commit(one, view);
    } catch (error) {
      if (pending === one) stop(one, error);
    }
  }

  function stop(one: Attempt<N>, error: unknown): void {
    if (error instanceof Redirect) {
      settle(one, null);
      return redirect(one.visit, one.url, error.to, one.plan);
    }
    if (error instanceof Instead && error.route !== one.visit.route) {
      const visit = { ...one.visit, ...virtual(error.route as N) };
      void attempt({ ...one, visit, update: shown !== null && !one.plan.force && samePlace(shown, visit, one.url) });
      return;
    }
    settle(one, null);
    giveUp(one.visit, one.plan, error, one.update);
  }

  function settle(one: Attempt<N>, state: VisitState | null): void {
    pending = null;
    if (state) one.visit = step(one.visit, { state });
    options.waiting(null);
  }

  function cancel(): void {
    if (!pending) return;
    const one = pending;
    settle(one, "aborted");
    one.controller.abort();
  }

  // --- the moment a view changes

  function commit(one: Attempt<N>, view: V): void {
    settle(one, null);
    refreshing?.abort();
    failed = null;
    if (one.update && shown) return renew(shown, one, view);
    leave("visit", one.visit.route);
    write(one.url, one.plan);
    const extras = { ...(lastLeft && { from: lastLeft }), ...(view.subjects && { subjects: view.subjects }) };
    const visit = step(one.visit, { ...extras, state: "rendered" });
    shown = visit;
    try {
      options.render(visit, view, "visit");
    } catch (error) {
      shown = null;
      return giveUp(visit, { ...one.plan, history: "none" }, error, false);
    }
    place(one.plan, one.url.hash);
    environment.afterPaint(() => shown?.id === visit.id && enter());
  }

  function renew(current: Visit<N>, one: Attempt<N>, view: V): void {
    enter();
    write(one.url, one.plan);
    const before = shown ?? current;
    shown = { ...before, url: one.url.href, ...(view.subjects && { subjects: view.subjects }) };
    options.render(shown, view, "update");
    place(one.plan, one.url.hash);
    announce.update(shown);
  }

  /** Same view, same data: only the address or the scroll position changes. */
  function adjust(current: Visit<N>, url: URL, how: Plan<N>): void {
    const changed = url.href !== current.url;
    if (changed) enter();
    write(url, changed || how.history === "none" ? how : { ...how, history: "replace" });
    place(how, url.hash);
    if (!changed || !shown) return;
    shown = { ...shown, url: url.href };
    announce.update(shown);
  }

  function giveUp(visit: Visit<N>, how: Plan<N>, error: unknown, update: boolean): void {
    if (!update) leave("visit");
    const url = new URL(visit.url);
    write(url, how);
    failed = { url, plan: { ...how, history: "none", force: true } };
    if (update && shown) failed.plan.force = false;
    else shown = null;
    options.fail(step(visit, { state: "failed" }), error);
  }

  function enter(): void {
    if (!shown || entered || shown.state !== "rendered") return;
    entered = true;
    shown = step(shown, { state: "entered", enteredAt: now() });
    announce.enter(shown);
  }

  function leave(reason: LeaveReason, to?: N): void {
    // A view replaced before it was painted was on the page all the same: its pair is announced whole.
    enter();
    if (!shown || !entered) return;
    entered = false;
    lastLeft = shown.route;
    announce.leave(shown, to === undefined ? { reason, at: now() } : { reason, at: now(), to });
  }

  // --- history and scroll

  function write(url: URL, how: Plan<N>): void {
    if (how.history === "none") return;
    if (how.history === "push") key = environment.uuid();
    if (how.history === "push") history.pushState({ key }, "", url.href);
    else history.replaceState({ key }, "", url.href);
  }

  /** While something is loading its skeleton may stand here: what counts is where the view was when it began. */
  function remember(): void {
    if (!pending) scroll.save(key);
  }

  function adoptKey(): void {
    const known: unknown = (history.state as { key?: unknown } | null)?.key;
    key = typeof known === "string" ? known : environment.uuid();
    if (known !== key) history.replaceState({ key }, "", location.href);
  }

  function place(how: Plan<N>, hash: string): void {
    if (how.scroll === "restore") scroll.restore(key, hash);
    else if (how.scroll === "top") scroll.to(hash);
  }

  // --- the page's own life

  environment.on("popstate", () => {
    if (!shown && !pending && !failed) return;
    remember();
    adoptKey();
    begin(new URL(location.href), plan("pop", { scroll: "restore" }));
  });
  environment.on("pagehide", () => {
    remember();
    leave("pagehide");
  });
  environment.on("pageshow", (event) => {
    if (event.persisted) again("bfcache");
  });

  /** Only what was left: whoever went on meanwhile is on a view that is entered, or will be with its paint. */
  function again(navType: NavType): void {
    if (!shown || entered || shown.state === "rendered") return;
    const { redirectedFrom: _, from: __, ...rest } = shown;
    shown = step({ ...rest, id: environment.uuid(), navType, startedAt: now() }, { state: "rendered" });
    enter();
  }

  return {
    start() {
      adoptKey();
      const scroll = environment.loadType === "load" ? "top" : "restore";
      begin(new URL(location.href), plan(environment.loadType, { startedAt: 0, scroll }));
    },
    navigate(to, { replace, load = true, scroll } = {}) {
      const url = new URL(to, location.href);
      const queryOnly = url.pathname === new URL(location.href).pathname && !url.hash;
      const change = scroll ?? !(queryOnly && url.href !== location.href);
      const how = replace ? "replace" : "push";
      begin(url, plan(how, { history: how, load, scroll: change ? "top" : "keep" }));
    },
    async refresh() {
      const current = shown;
      if (!current) return;
      refreshing?.abort();
      const mine = (refreshing = new AbortController());
      try {
        const view = await options.load(current, mine.signal);
        if (!mine.signal.aborted && shown?.id === current.id) options.render(shown, view, "update");
      } catch (error) {
        if (!mine.signal.aborted) throw error;
      }
    },
    retry() {
      if (failed) begin(failed.url, { ...failed.plan, startedAt: now() });
    },
    leave,
    again,
    revisit(navType, to) {
      const wanted = to === undefined ? (pending?.url ?? new URL(location.href)) : new URL(to, location.href);
      const history = to === undefined ? (pending?.plan.history ?? "none") : "replace";
      begin(wanted, plan(navType, { history, force: true }));
    },
  };
}

function sameParams(a: RouteMatch, b: RouteMatch): boolean {
  const names = Object.keys(a.params);
  return names.length === Object.keys(b.params).length && names.every((name) => a.params[name] === b.params[name]);
}

function sameButHash(url: URL, other: string): boolean {
  const strip = (href: string): string => href.split("#", 1)[0] ?? href;
  return strip(url.href) === strip(other);
}
