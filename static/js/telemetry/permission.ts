// May this page record now? What decides it changes while a page lives, in this tab and in the others of its browser, which
// tell each other. Stands in the entry: an opt-out must not be missed while telemetry itself is still on its way.

import type { Boot } from "../boot.ts";
import type { SessionAnnouncer } from "../session.ts";
import { refusal, type Refusal, type Signals } from "./consent.ts";

export interface Permission {
  /** Why nothing may be recorded now; null when it may. */
  refusal(): Refusal | null;
  /** Calls back whenever that may have changed. Returns the function that stops listening. */
  listen(callback: () => void): () => void;
}

/** What the tabs of one browser tell each other. */
interface Word {
  readonly user: string | null;
  readonly optedOut: boolean;
}

export const CHANNEL = "flowforge";

export interface Channel {
  postMessage(word: Word): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Word>) => void): void;
}

export function watchPermission(session: Pick<SessionAnnouncer, "boot" | "listen">, signals: Signals, channel: Channel): Permission {
  const listeners = new Set<() => void>();
  // Whoever opted out stays unrecorded after signing out, too, until somebody else signs in.
  let optedOut = session.boot.user?.telemetry_opt_out ?? false;
  let elsewhere = false;

  function tell(): void {
    for (const callback of [...listeners]) callback();
  }

  function learned({ user }: Boot): void {
    optedOut = user?.telemetry_opt_out ?? optedOut;
    elsewhere = false;
    channel.postMessage({ user: user?.id ?? null, optedOut });
    tell();
  }

  channel.addEventListener("message", ({ data: word }) => {
    elsewhere = word.user !== (session.boot.user?.id ?? null);
    if (!elsewhere) optedOut = word.optedOut;
    tell();
  });
  session.listen({ didLogin: learned, didLogout: learned, didChangePrivacy: learned });
  return {
    refusal: () => refusal(session.boot, signals, { optedOut, elsewhere }),
    listen(callback) {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },
  };
}
