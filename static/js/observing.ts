// When telemetry is fetched: after the first paint, when the page is idle, and only when it may run. Deciding that
// costs no download; what it does then is its own business.

import type { Announcements } from "./announcer.ts";
import type { RouteName } from "./generated/routes.ts";
import { patiently } from "./patience.ts";
import type { Session } from "./session.ts";
import type { Signals } from "./telemetry/consent.ts";
import { watchPermission, type Channel, type Permission } from "./telemetry/permission.ts";
import { rememberBearers } from "./telemetry/surroundings.ts";
import type { Bearer, Told } from "./telemetry/types.ts";
import type { Visit } from "./visit.ts";

export interface ObservingOptions {
  announcer: Announcements<RouteName>;
  session: Session;
  signals: Signals;
  /** To the other tabs. */
  channel: Channel;
  /** Calls back when the page has nothing better to do. */
  idle(callback: () => void): void;
  later(callback: () => void, milliseconds: number): void;
  /** Fetches telemetry and starts it. */
  begin(known: Known): Promise<void>;
  /** Calls back whenever the page goes (`final`), after the router has heard of it, and whenever it is hidden. */
  onLeave(callback: (final: boolean) => void): void;
  /** The page goes, or may, before telemetry has come: tells what there is to tell and was not told. */
  tell(known: Known): void;
}

/** What is known from the start on, and telemetry has to know. */
export interface Known {
  readonly permission: Permission;
  /** Whose a visit is. */
  bearer(visit: Visit): Bearer;
  readonly told: Told;
}

export function observe({ announcer, session, signals, channel, idle, later, begin, onLeave, tell }: ObservingOptions): void {
  const permission = watchPermission(session, signals, channel);
  const told: Told = { events: new Set(), identifiers: new Map() };
  const known = { permission, bearer: rememberBearers(announcer, session), told };
  let painted = false;
  let begun = false;
  /** Telemetry listens, or was kept out. */
  let settled = false;
  /** A try has failed: maybe somebody keeps telemetry out, and then nothing is told. */
  let doubted = false;
  let refused = false;

  function consider(): void {
    if (settled) return;
    if (permission.refusal() !== null) {
      refused = true;
      told.identifiers.clear();
      return;
    }
    // What happened while it was refused is not for anybody who listens later.
    if (refused) announcer.forget();
    refused = false;
    if (begun || !painted) return;
    begun = true;
    idle(() => void fetched());
  }

  async function fetched(): Promise<void> {
    try {
      await patiently(() => (refused ? Promise.reject(new Error("Refused")) : begin(known)), pause);
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

  function left(final: boolean): void {
    if (!begun || settled || refused) return;
    if (!doubted) tell(known);
    // The page may come back, and telemetry with it: this has been told, or is not to be.
    if (final) announcer.forget();
  }

  const stop = announcer.listen({
    enter: () => {
      stop();
      painted = true;
      consider();
    },
  });
  onLeave(left);
  permission.listen(consider);
}
