// When telemetry is fetched: after the first paint, when the page is idle, and only when it may run. Deciding that
// costs no download; what it does then is its own business.

import type { Announcements } from "./announcer.ts";
import type { Boot } from "./boot.ts";
import type { RouteName } from "./generated/routes.ts";
import type { Session } from "./session.ts";
import { refusal, type Signals } from "./telemetry/consent.ts";

export interface ObservingOptions {
  announcer: Announcements<RouteName>;
  session: Session;
  signals: Signals;
  /** Calls back when the page has nothing better to do. */
  idle(callback: () => void): void;
  /** Fetches telemetry and starts it. */
  begin(): Promise<void>;
  /** Calls back whenever the page goes, after the router has heard of it. */
  onLeave(callback: () => void): void;
  /** The page goes before telemetry has come: tells what there is to tell. */
  tell(): void;
}

export function observe({ announcer, session, signals, idle, begin, onLeave, tell }: ObservingOptions): void {
  let begun = false;
  /** Telemetry listens, or was kept out. */
  let settled = false;
  let refused = false;
  // Whoever opted out stays unrecorded after signing out, too, until somebody else signs in.
  let optedOut = session.boot.user?.telemetry_opt_out ?? false;

  function consider(): void {
    if (begun) return;
    if (refusal(session.boot, signals, { optedOut }) !== null) {
      refused = true;
      return;
    }
    // What happened while it was refused is not for anybody who listens later.
    if (refused) announcer.forget();
    begun = true;
    idle(() => {
      if (refusal(session.boot, signals, { optedOut }) === null) void begin().catch(quiet).then(() => (settled = true));
      else [begun, refused] = [false, true];
    });
  }

  function left(): void {
    if (!begun || settled || refusal(session.boot, signals, { optedOut }) !== null) return;
    tell();
    // The page may come back, and telemetry with it: this has been told.
    announcer.forget();
  }

  function changed(boot: Boot): void {
    optedOut = boot.user?.telemetry_opt_out ?? optedOut;
    consider();
  }

  const stop = announcer.listen({
    enter: () => {
      stop();
      consider();
    },
  });
  onLeave(left);
  session.listen({ didLogin: changed, didLogout: changed, didChangePrivacy: changed });
}

// A blocker or a lost connection: the page works without.
function quiet(): void {}
