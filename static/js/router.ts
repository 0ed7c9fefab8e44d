// Visits, and nothing else: this file imports nothing and knows neither views nor telemetry.

export type Params = Readonly<Record<string, string>>;
export type Who = "anyone" | "user" | "analyst" | "admin";

/** A row of the route table generated from `flowforge_ui/plan/routes.yml`. */
export interface RouteDef<N extends string = string> {
  readonly name: N;
  readonly pattern: string;
  readonly title: string;
  readonly who: Who;
  readonly when?: "setup" | "signup";
}

/** `pattern` is null for views without an address of their own (`login`, `not_found`). */
export interface RouteMatch<N extends string = string> {
  readonly route: N;
  readonly pattern: string | null;
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
  readonly pattern: string | null;
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
 * `update` tells that query or hash of the current visit changed. An error thrown by a listener is reported to the
 * console and goes no further.
 */
export interface Listener<N extends string = string> {
  enter?(visit: Visit<N>): void;
  leave?(visit: Visit<N>, leave: Leave<N>): void;
  update?(visit: Visit<N>): void;
}

/** The part of the router that telemetry may use. */
export interface Announcer<N extends string = string> {
  /** The visit entered and not yet left. */
  readonly current: Visit<N> | null;
  /**
   * Returns the function that stops listening. With `replay`, what was announced before (at most the last 64
   * announcements since the start or the last `forget`) is told first, in order, so that a listener loaded after the
   * first paint misses nothing.
   */
  listen(listener: Listener<N>, options?: { replay?: boolean }): () => void;
}
