// Telemetry's door: decides, at every change, whether anything may be recorded, and starts and stops what records.
// It is fetched after the first paint (observing.ts), so what has happened before is told to it again.

import type { Boot } from "../boot.ts";
import type { SessionAnnouncer } from "../session.ts";
import type { Announcer, Visit } from "../visit.ts";
import { refusal, type Signals } from "./consent.ts";
import { createEmitter, type Emitter } from "./emitter.ts";
import { firstSeen, whenSeen } from "./seen.ts";
import type { Bearer } from "./types.ts";

export interface TelemetryParts {
  router: Pick<Announcer, "listen">;
  session: Pick<SessionAnnouncer, "boot" | "listen">;
  /** Whose a visit is. */
  bearer(visit: Visit): Bearer;
  page?: Window & typeof globalThis;
}

/** What the tabs of one browser tell each other. */
interface Word {
  readonly user: string | null;
  readonly optedOut: boolean;
}

const CHANNEL = "flowforge";

/** Returns the function that takes everything back; views already counted are still delivered. */
export function start({ router, session, bearer, page = window }: TelemetryParts): { stop(): void } {
  const signals: Signals = page.navigator;
  const channel = new page.BroadcastChannel(CHANNEL);
  let optedOut = session.boot.user?.telemetry_opt_out ?? false;
  let elsewhere = false;
  let from = 0;
  let cancel = (): void => undefined;
  let running: Emitter | "waiting" | null = null;
  /** All there have been: one that was left may still have something to deliver. */
  let emitters: Emitter[] = [];

  function decide(): void {
    const reason = refusal(session.boot, signals, { optedOut, elsewhere });
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
    emitters.push((running = createEmitter({ router, session, bearer, page, from, seenAt })));
  }

  function end(how: "leave" | "forget"): void {
    cancel();
    if (how === "leave" && running !== "waiting") running?.stop("leave");
    running = null;
    if (how === "leave") return;
    for (const emitter of emitters) emitter.stop("forget");
    emitters = [];
  }

  function learned(boot: Boot): void {
    if (boot.user) optedOut = boot.user.telemetry_opt_out;
    elsewhere = false;
    channel.postMessage({ user: boot.user?.id ?? null, optedOut } satisfies Word);
    decide();
  }

  function heard({ data: word }: MessageEvent<Word>): void {
    elsewhere = word.user !== (session.boot.user?.id ?? null);
    if (!elsewhere) optedOut = word.optedOut;
    decide();
  }

  channel.addEventListener("message", heard);
  const unlisten = session.listen({ didLogin: learned, didLogout: learned, didChangePrivacy: learned });
  decide();
  return {
    stop() {
      unlisten();
      channel.removeEventListener("message", heard);
      channel.close();
      end("leave");
    },
  };
}
