// Telemetry's door: starts and stops what records, at every change of what may be recorded. It is fetched after the first
// paint (observing.ts), so what has happened before is told to it again.

import type { SessionAnnouncer } from "../session.ts";
import type { Announcer, Visit } from "../visit.ts";
import { createEmitter, type Emitter } from "./emitter.ts";
import type { Permission } from "./permission.ts";
import { firstSeen, whenSeen } from "./seen.ts";
import type { Bearer, Told } from "./types.ts";

export interface TelemetryParts {
  router: Pick<Announcer, "listen">;
  session: Pick<SessionAnnouncer, "boot">;
  permission: Permission;
  /** Whose a visit is. */
  bearer(visit: Visit): Bearer;
  told: Told;
  page?: Window & typeof globalThis;
}

/** Returns the function that takes everything back; views already counted are still delivered. */
export function start({ router, session, permission, bearer, told, page = window }: TelemetryParts): { stop(): void } {
  let from = 0;
  let cancel = (): void => undefined;
  let running: Emitter | "waiting" | null = null;
  /** All there have been: one that was left may still have something to deliver. */
  let emitters: Emitter[] = [];

  function decide(): void {
    const reason = permission.refusal();
    if (reason === null) return begin();
    end(reason === "elsewhere" ? "leave" : "forget");
    // What happens while nothing may be recorded is not made up for later.
    from = Infinity;
  }

  function begin(): void {
    if (running) return;
    if (from === Infinity) from = page.performance.now();
    const seenAt = firstSeen(page);
    if (seenAt !== null) return launch(seenAt);
    running = "waiting";
    cancel = whenSeen(page.document, () => launch(page.performance.now()));
  }

  function launch(seenAt: number): void {
    emitters.push((running = createEmitter({ router, session, bearer, told, page, from, seenAt })));
  }

  function end(how: "leave" | "forget"): void {
    cancel();
    if (how === "leave" && running !== "waiting") running?.stop("leave");
    running = null;
    if (how === "leave") return;
    for (const emitter of emitters) emitter.stop("forget");
    emitters = [];
  }

  const unlisten = permission.listen(decide);
  decide();
  return {
    stop() {
      unlisten();
      end("leave");
    },
  };
}
