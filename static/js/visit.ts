// The words of the router: types only, nothing of it is left in the bundle.

export type Params = Readonly<Record<string, string>>;
export type Who = "anyone" | "user" | "analyst" | "admin";

/** A row of the route table generated from `flowforge_ui/plan/routes.yml`. */
export interface RouteDef<N extends string = string> {
  readonly name: N;
  readonly pattern: string;
  readonly title: string;
  readonly who: Who;
  readonly when: "setup" | "signup" | null;
}

/** A view without an address of its own (`login`, `not_found`); `pattern` is the name telemetry has for it. */
export interface VirtualDef<N extends string = string> {
  readonly name: N;
  readonly pattern: string;
  readonly title: string;
}

export interface RouteMatch<N extends string = string> {
  readonly route: N;
  readonly pattern: string;
  readonly params: Params;
}

export type NavType =
  | "load" | "reload" | "back_forward" | "push" | "replace" | "pop"
  | "bfcache" | "login" | "logout" | "opt_in";

export type VisitState =
  | "started" | "loading" | "rendered" | "entered"
  | "redirected" | "aborted" | "failed";

/** What a view is about, as the pseudonyms telemetry knows (`t_...`, `p_...`). */
export interface Subjects {
  readonly team?: string;
  readonly project?: string;
}

/**
 * One stay on one view. Times are milliseconds on the page's monotonic clock (`performance.now()`): a first load
 * starts at 0, the start of the navigation. `enteredAt` is 0 until the visit is entered; a visit that is announced
 * always has it. `url` is absolute and raw: it must be redacted before it leaves the page.
 */
export interface Visit<N extends string = string> {
  /** A random UUID (version 4). */
  readonly id: string;
  readonly route: N;
  readonly pattern: string;
  readonly params: Params;
  readonly url: string;
  readonly navType: NavType;
  readonly startedAt: number;
  readonly enteredAt: number;
  readonly state: VisitState;
  /** The route of the view left before this one, if there was one in this page's life. */
  readonly from?: N;
  /** The first route of a chain of redirects that ended here. */
  readonly redirectedFrom?: N;
  readonly subjects?: Subjects;
}

/** Why a view ends. `pagehide`: the page itself goes, only a beacon still arrives. */
export type LeaveReason = "visit" | "pagehide" | "logout";

export interface Leave<N extends string = string> {
  readonly reason: LeaveReason;
  /** Milliseconds on the clock of `Visit`. */
  readonly at: number;
  /** The route that follows; unknown on `pagehide` and `logout`. */
  readonly to?: N;
}

/**
 * What the router announces. For every `enter` there is exactly one `leave` (unless the process dies), in that order
 * and never overlapping: `leave` comes before the address, the title and the view change, `enter` after the new view
 * is painted and its title set. `pagehide` leaves, a `pageshow` from the back/forward cache enters a NEW visit.
 * `update` tells that query or hash of the current visit changed. What happens to a page that is hidden or still
 * prerendering is announced all the same; whether it counts is the listener's business.
 */
export interface Announce<N extends string = string> {
  enter(visit: Visit<N>): void;
  leave(visit: Visit<N>, leave: Leave<N>): void;
  update(visit: Visit<N>): void;
}

export type Listener<N extends string = string> = Partial<Announce<N>>;

/** The part of the router that telemetry may use. */
export interface Announcer<N extends string = string> {
  /** The visit entered and not yet left. */
  readonly current: Visit<N> | null;
  /**
   * Returns the function that stops listening. With `replay`, what was announced before (at most the last 600
   * announcements since the start or the last `forget`) is told first, in order, so that a listener loaded after the
   * first paint misses nothing. An error thrown by a listener is reported to the console and goes no further.
   */
  listen(listener: Listener<N>, options?: { replay?: boolean }): () => void;
}

export type Verdict<N extends string> = { readonly redirect: string } | { readonly instead: N };

/** What the router needs of the browser. */
export interface Environment {
  history: Pick<History, "pushState" | "replaceState" | "state">;
  location: { readonly href: string };
  on(type: "popstate" | "pagehide" | "pageshow", listener: (event: { persisted?: boolean }) => void): void;
  now(): number;
  uuid(): string;
  /** Calls back after the next paint; soon, too, where nothing is painted (a hidden tab). */
  afterPaint(callback: () => void): void;
  /** How this page came to be. */
  loadType: "load" | "reload" | "back_forward";
}

export interface Scroller {
  save(key: string): void;
  /** To where the entry `key` was left; else to the element `hash` names, else to the top. */
  restore(key: string, hash: string): void;
  to(hash: string): void;
}

export interface RouterOptions<N extends string, V extends { readonly subjects?: Subjects }> {
  match(path: string): RouteMatch<N> | null;
  virtual: readonly VirtualDef<N>[];
  /** What stands where nothing matches; one of `virtual`. */
  notFound: N;
  /** May the present user see this? Null lets the visit go on. */
  guard(match: RouteMatch<N>): Verdict<N> | null;
  load(visit: Visit<N>, signal: AbortSignal): Promise<V>;
  /** Puts the view on the page and sets the title, at once. */
  render(visit: Visit<N>, view: V, how: "visit" | "update"): void;
  /** Loading could not be done; the error is to be shown at the visit's address. */
  fail(visit: Visit<N>, error: unknown): void;
  /** A visit is loading; null: none any more. */
  waiting(visit: Visit<N> | null): void;
  scroll: Scroller;
  announce: Announce<N>;
  environment: Environment;
  /** Told each state of each visit. */
  trace?(visit: Visit<N>): void;
}

export interface Navigation {
  replace?: boolean | undefined;
  load?: boolean | undefined;
  scroll?: boolean | undefined;
}

export interface Router {
  /** The first visit. */
  start(): void;
  /** `to` is relative to the present address. */
  navigate(to: string, options?: Navigation): void;
  /** Loads the shown view's data again: no visit, nothing announced. Rejects when loading does. */
  refresh(): Promise<void>;
  /** Tries again what failed. */
  retry(): void;
  /** Ends the current visit now, before anything else changes. */
  leave(reason: LeaveReason): void;
  /** Enters the shown view again, as a new visit, if it was left. */
  again(navType: NavType): void;
  /** Looks anew at what may be seen at `to` (default: the address wanted or present). */
  revisit(navType: NavType, to?: string): void;
}
