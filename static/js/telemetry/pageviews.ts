// Turns what the router announces into `$pageview` and `$pageleave`: one of each for a view that was seen.

import type { CommonProperties, PageviewProperties } from "../generated/events.ts";
import type { Announcer, Leave, NavType, Visit } from "../visit.ts";
import type { EngagementClock } from "./clock.ts";
import type { ScrollWatch } from "./scrolling.ts";
import { whenSeen, type SeenPage } from "./seen.ts";
import type { Bearer, Ended, PageEvent } from "./types.ts";

export interface PageviewsOptions {
  router: Pick<Announcer, "listen">;
  /** `route`: a leave for each view; `exit`: only when the page is left, or the account. */
  pageleave: "route" | "exit";
  version: string;
  /** Visits entered before are none of telemetry's business. On the clock of `Visit`. */
  from: number;
  /** When the page was first seen; views do not begin before. */
  seenAt: number;
  /** Whose a visit is that begins now. */
  bearer(visit: Visit): Bearer;
  emit(event: PageEvent): void;
  clock: EngagementClock;
  scroll: ScrollWatch;
  page: {
    document: SeenPage;
    /** The clock of `Visit`. */
    now(): number;
    /** That clock's time as milliseconds since the epoch. */
    epoch(at: number): number;
    /** When the page that was prerendered came to be shown; 0 for others. */
    activatedAt: number;
    uuid(): string;
  };
}

/** A view that was counted. */
interface View {
  visit: Visit;
  bearer: Bearer;
  properties: PageviewProperties & CommonProperties;
}

// What was before belongs to somebody else.
const ACCOUNT_CHANGES: ReadonlySet<NavType> = new Set(["login", "logout"]);

type Goodbye = Omit<Leave, "reason"> & { readonly reason: Leave["reason"] | "elsewhere" };

/** `leave` ends the present view without the router having said so. */
export function createPageviews(options: PageviewsOptions): { leave(): void; stop(): void } {
  const { page, clock, scroll } = options;
  let seenAt: number | null = options.seenAt;
  let waiting: Visit | null = null;
  let callOff = (): void => undefined;
  let view: View | null = null;
  let index = 0;
  /** The view before, as long as nothing but time separates it from the next one. */
  let ended: Ended | null = null;
  let lastBearer: Bearer | null = null;

  function enter(visit: Visit): void {
    if (visit.enteredAt < options.from) return;
    if (seenAt !== null && seenAt <= visit.enteredAt) return begin(visit, visit.enteredAt);
    waiting = visit;
    if (seenAt !== null) return;
    callOff();
    callOff = whenSeen(page.document, () => {
      seenAt = page.now();
      beginWaiting(seenAt);
    });
  }

  /** A view entered before anybody saw the page begins when that happens, unless it is gone by then. */
  function beginWaiting(at: number): void {
    if (waiting) begin(waiting, at);
    waiting = null;
  }

  function leave(visit: Visit, { reason, at, to }: Goodbye): void {
    if (waiting && seenAt !== null && seenAt < at) beginWaiting(seenAt);
    waiting = null;
    if (view?.visit.id === visit.id) end(view, reason, at, to);
    if (reason === "pagehide") {
      seenAt = null;
      ended = null;
    }
  }

  function begin(visit: Visit, at: number): void {
    const bearer = options.bearer(visit);
    const same = lastBearer?.person?.distinct_id === bearer.person?.distinct_id;
    if (!same) ended = null;
    if (lastBearer && !same) index = 0;
    const properties = describe(visit, bearer, (lastBearer === null || same) && !ACCOUNT_CHANGES.has(visit.navType));
    view = { visit, bearer, properties };
    lastBearer = bearer;
    index += 1;
    clock.begin(at);
    scroll.begin();
    const previous = options.pageleave === "exit" ? ended : null;
    const { id: uuid } = visit;
    options.emit({
      name: "$pageview", uuid, at: page.epoch(at), visit, bearer, properties, ended: previous, final: false,
    });
  }

  function describe(visit: Visit, bearer: Bearer, sameStory: boolean): View["properties"] {
    const { subjects, redirectedFrom, startedAt, enteredAt } = visit;
    const shownFrom = visit.navType === "load" ? page.activatedAt : 0;
    return {
      route: visit.route as NonNullable<PageviewProperties["route"]>,
      route_pattern: visit.pattern,
      ...(visit.from && sameStory && { from_route: visit.from as NonNullable<PageviewProperties["route"]> }),
      ...(redirectedFrom && { redirected_from: redirectedFrom as NonNullable<PageviewProperties["route"]> }),
      nav_type: visit.navType,
      view_id: visit.id,
      view_index: index,
      load_ms: Math.max(0, Math.round(enteredAt - Math.max(startedAt, shownFrom))),
      ...(subjects?.team && { team: subjects.team }),
      ...(subjects?.project && { project: subjects.project }),
      app_version: options.version,
      role: bearer.role,
      source: "router",
    };
  }

  function end({ visit, bearer, properties }: View, reason: Goodbye["reason"], at: number, to?: string): void {
    view = null;
    const durations = clock.read(at);
    const scroll_depth = scroll.depth();
    ended = { view_id: visit.id, route_pattern: visit.pattern, total_ms: durations.total_ms, scroll_depth };
    if (options.pageleave === "exit" && reason === "visit") return;
    options.emit({
      name: "$pageleave",
      uuid: page.uuid(),
      at: page.epoch(at),
      visit,
      bearer,
      properties: {
        ...properties,
        ...durations,
        scroll_depth,
        ...(to !== undefined && { to_route: to as NonNullable<PageviewProperties["route"]> }),
      },
      ended,
      final: reason === "pagehide",
    });
  }

  const unlisten = options.router.listen({ enter, leave }, { replay: true });
  // What was told again has already happened: the view that is left over is the present one.
  if (seenAt !== null) beginWaiting(seenAt);
  return {
    leave() {
      if (view) end(view, "elsewhere", page.now());
    },
    stop() {
      unlisten();
      callOff();
    },
  };
}
