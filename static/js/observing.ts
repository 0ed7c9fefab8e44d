// When telemetry is fetched: after the first paint, when the page is idle, and only when it may run. Deciding that
// costs no download; what it does then is its own business.

import type { Announcements } from "./announcer.ts";
import type { Boot } from "./boot.ts";
import type { RouteName } from "./generated/routes.ts";
import { patiently } from "./patience.ts";
import type { Session } from "./session.ts";
import { refusal, type Signals } from "./telemetry/consent.ts";
import { rememberBearers } from "./telemetry/surroundings.ts";
import type { Bearer } from "./telemetry/types.ts";
import type { Visit } from "./visit.ts";

export interface ObservingOptions {
  announcer: Announcements<RouteName>;
  session: Session;
  signals: Signals;
  /** Calls back when the page has nothing better to do. */
  idle(callback: () => void): void;
  later(callback: () => void, milliseconds: number): void;
  /** Fetches telemetry and starts it. */
  begin(bearer: BearerOf): Promise<void>;
  /** Calls back whenever the page goes, after the router has heard of it. */
  onLeave(callback: () => void): void;
  /** The page goes before telemetry has come: tells what there is to tell. */
  tell(bearer: BearerOf): void;
}

/** Whose a visit is. */
type BearerOf = (visit: Visit) => Bearer;

export function observe({ announcer, session, signals, idle, later, begin, onLeave, tell }: ObservingOptions): void {
  const bearer = rememberBearers(announcer, session);
  let begun = false;
  /** Telemetry listens, or was kept out. */
  let settled = false;
  /** A try has failed: maybe somebody keeps telemetry out, and then nothing is told. */
  let doubted = false;
  let refused = false;
  // Whoever opted out stays unrecorded after signing out, too, until somebody else signs in.
  let optedOut = session.boot.user?.telemetry_opt_out ?? false;

  function consider(): void {
    if (settled) return;
    if (refusal(session.boot, signals, { optedOut }) !== null) {
      refused = true;
      return;
    }
    // What happened while it was refused is not for anybody who listens later.
    if (refused) announcer.forget();
    refused = false;
    if (begun) return;
    begun = true;
    idle(() => void fetched());
  }

  async function fetched(): Promise<void> {
    try {
      await patiently(() => (refused ? Promise.reject(new Error("Refused")) : begin(bearer)), pause);
      settled = true;
    } catch {
      // Kept out: the page works without. Refused meanwhile: it begins anew when it may.
      settled = !refused;
      begun = settled;
    }
  }

  function pause(milliseconds: number): Promise<void> {
    if (refused) return Promise.reject(new Error("Refused"));
    doubted = true;
    return new Promise((resolve) => later(resolve, milliseconds));
  }

  function left(): void {
    if (!begun || settled || refused) return;
    if (!doubted) tell(bearer);
    // The page may come back, and telemetry with it: this has been told, or is not to be.
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
