// The page as views see it, and whose they are.

import type { Boot } from "../boot.ts";
import { uuid } from "../browser.ts";
import type { Visit } from "../visit.ts";
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

/** The login view is nobody's, even when it is told late, to facts that already know who signed in there. */
export function bearerOf(boot: Boot, visit: Visit): Bearer {
  if (visit.route === "login") return { person: null, role: "anonymous" };
  return { person: boot.telemetry.posthog?.person ?? null, role: boot.user?.role ?? "anonymous" };
}
