// Telemetry's door: listens, decides, and loads the rest after the first paint, where something may be recorded.

import type { Boot } from "../boot.ts";
import type { SessionAnnouncer } from "../session.ts";
import type { Announcer } from "../visit.ts";
import { refusal } from "./consent.ts";
import type { Emitter } from "./emitter.ts";
import { whenSeen } from "./seen.ts";

export interface TelemetryParts {
  router: Pick<Announcer, "listen">;
  session: Pick<SessionAnnouncer, "boot" | "listen">;
  page?: Window & typeof globalThis;
}

// Changes of the session that may pass while the rest is being loaded.
const FACTS_MAX = 8;

/** What the tabs of one browser tell each other. */
interface Word {
  readonly user: string | null;
  readonly optedOut: boolean;
}

/** Returns the function that takes everything back; views already counted are still delivered. */
export function start({ router, session, page = window }: TelemetryParts): { stop(): void } {
  const navigator = page.navigator as Navigator & { globalPrivacyControl?: boolean };
  let facts = [{ since: 0, boot: session.boot }];
  let optedOut = session.boot.user?.telemetry_opt_out ?? false;
  let elsewhere = false;
  let from = 0;
  let cancel = (): void => undefined;
  let seenAt: number | null = null;
  let running: Emitter | "loading" | null = null;

  function decide(): void {
    const reason = refusal(session.boot, navigator, { optedOut, elsewhere });
    if (reason === null) {
      if (running === null) load();
      return;
    }
    end(reason === "elsewhere" ? "leave" : "forget");
    // What happens while nothing may be recorded is not made up for later.
    from = Infinity;
  }

  function load(): void {
    running = "loading";
    if (from === Infinity) from = page.performance.now();
    cancel = whenEntered(router, () => {
      cancel = whenSeen(page.document, () => {
        let called = false;
        cancel = () => (called = true);
        void import("./emitter.ts")
          .then(({ createEmitter }) => {
            if (!called) running = createEmitter({ router, bootAt, page, from, seenAt: seenAt ?? 0 });
          })
          .catch(() => undefined);
      });
    });
  }

  /** A view loaded late must not be counted for whoever signed in after it. */
  function bootAt(at: number): Boot {
    return facts.findLast(({ since }) => since <= at)?.boot ?? session.boot;
  }

  function end(how: "leave" | "forget"): void {
    cancel();
    if (running && running !== "loading") running.stop(how);
    running = null;
  }

  function learned(boot: Boot): void {
    if (boot.user) optedOut = boot.user.telemetry_opt_out;
    elsewhere = false;
    facts = [...facts, { since: page.performance.now(), boot }].slice(-FACTS_MAX);
    channel.postMessage({ user: boot.user?.id ?? null, optedOut } satisfies Word);
    decide();
  }

  function heard({ data: word }: MessageEvent<Word>): void {
    const user = session.boot.user?.id ?? null;
    elsewhere = word.user !== user;
    if (!elsewhere) optedOut = word.optedOut;
    decide();
  }

  const forgetSeeing = whenSeen(page.document, () => (seenAt = page.performance.now()));
  const channel = new page.BroadcastChannel("flowforge");
  channel.addEventListener("message", heard);
  const unlisten = session.listen({ didLogin: learned, didLogout: learned, didChangePrivacy: learned });
  decide();
  return {
    stop() {
      unlisten();
      forgetSeeing();
      channel.removeEventListener("message", heard);
      channel.close();
      end("leave");
    },
  };
}

/** Calls back after the first view was painted. */
function whenEntered(router: Pick<Announcer, "listen">, callback: () => void): () => void {
  let done = false;
  let stop = (): void => undefined;
  stop = router.listen(
    {
      enter() {
        if (done) return;
        done = true;
        // The list of listeners is being walked through.
        window.setTimeout(() => {
          stop();
          callback();
        });
      },
    },
    { replay: true },
  );
  return () => {
    done = true;
    stop();
  };
}
