// The page as views see it, and whose they are.

import type { Boot } from "../boot.ts";
import { uuid } from "../browser.ts";
import type { SessionAnnouncer } from "../session.ts";
import type { Announcer, Visit } from "../visit.ts";
import type { PageviewsOptions } from "./pageviews.ts";
import { activationOf } from "./seen.ts";
import type { Bearer } from "./types.ts";

export function pageOf(page: Window): PageviewsOptions["page"] {
  return {
    document: page.document,
    now: () => page.performance.now(),
    epoch: (at) => Date.now() - (page.performance.now() - at),
    activatedAt: activationOf(page.performance),
    uuid,
  };
}

/**
 * Whose each view is: of whoever was signed in when it was announced, however late it is told. Listens from the start.
 */
export function rememberBearers(router: Pick<Announcer, "listen">, session: Pick<SessionAnnouncer, "boot">): (visit: Visit) => Bearer {
  const known = new WeakMap<Visit, Bearer>();
  router.listen({ enter: (visit) => known.set(visit, bearerOf(session.boot, visit)) });
  return (visit) => known.get(visit) ?? bearerOf(session.boot, visit);
}

/** The login view is nobody's, even when it is announced late, before the facts that already know who signed in there. */
function bearerOf(boot: Boot, visit: Visit): Bearer {
  if (visit.route === "login") return { person: null, role: "anonymous" };
  return { person: boot.telemetry.posthog?.person ?? null, role: boot.user?.role ?? "anonymous" };
}
