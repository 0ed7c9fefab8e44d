// A page left, or hidden, before the rest of telemetry has come: what was seen until then goes by beacon, with what the
// entry knows anyway. The same rules as ever (pageviews.ts) say what that is.

import type { SessionAnnouncer } from "../session.ts";
import type { Announcer, Visit } from "../visit.ts";
import { EngagementClock } from "./clock.ts";
import { createPageviews } from "./pageviews.ts";
import { addressed, plainly, targetsOf } from "./plain.ts";
import { watchScroll } from "./scrolling.ts";
import { firstSeen, isSeen } from "./seen.ts";
import { pageOf } from "./surroundings.ts";
import type { Bearer, PageEvent, Told } from "./types.ts";
import { bodyOf, endpointOf } from "./wire.ts";

export interface BounceParts {
  router: Pick<Announcer, "listen">;
  session: Pick<SessionAnnouncer, "boot">;
  bearer(visit: Visit): Bearer;
  told: Told;
  page: Window;
}

/** Tells what was announced until now, each event once. For when something may be recorded and nobody has listened yet. */
export function tellBounce(parts: BounceParts): void {
  const { session, told, page } = parts;
  const { base_url: baseUrl, telemetry, version } = session.boot;
  const { posthog: facts } = telemetry;
  const seenAt = firstSeen(page);
  if (!facts || seenAt === null || (page.navigator.webdriver && !facts.dev)) return;
  const events = happened(parts, facts.pageleave, version, seenAt);
  const plain = plainly(events, { facts, baseUrl, referrer: page.document.referrer, storage: storageOf(page), told });
  if (plain.length === 0) return;
  for (const target of targetsOf(facts)) {
    const batch = plain.map((event) => addressed(event, target));
    page.navigator.sendBeacon(endpointOf(target.api_host), bodyOf(target.apikey, batch, Date.now()));
  }
}

function happened({ router, bearer, page }: BounceParts, pageleave: "route" | "exit", version: string, seenAt: number): PageEvent[] {
  const events: PageEvent[] = [];
  const scroll = watchScroll(page);
  createPageviews({
    router, pageleave, version, seenAt, scroll, bearer,
    from: 0,
    emit: (event) => events.push(event),
    clock: new EngagementClock(isSeen(page.document) && page.document.hasFocus()),
    page: pageOf(page),
  }).stop();
  scroll.stop();
  return events;
}

function storageOf(page: Window): Storage | undefined {
  try {
    return page.localStorage;
  } catch {
    return undefined;
  }
}
