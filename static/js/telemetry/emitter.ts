// Everything that records, put together: made only where something may be recorded.

import type { Boot } from "../boot.ts";
import type { SessionAnnouncer } from "../session.ts";
import type { Announcer, Visit } from "../visit.ts";
import { createCapturing } from "./capturing.ts";
import { watchAttention } from "./clock.ts";
import { createPageviews } from "./pageviews.ts";
import { createPlausibleSink } from "./plausible.ts";
import { watchScroll } from "./scrolling.ts";
import { pageOf } from "./surroundings.ts";
import type { Bearer, PageEvent, Sink, Told } from "./types.ts";

export interface EmitterParts {
  router: Pick<Announcer, "listen">;
  session: Pick<SessionAnnouncer, "boot">;
  bearer(visit: Visit): Bearer;
  told: Told;
  page: Window & typeof globalThis;
  from: number;
  seenAt: number;
}

export interface Emitter {
  /** `leave`: the present view ends, all is delivered. `forget`: at once, and nothing is kept, after a `leave`, too. */
  stop(how: "leave" | "forget"): void;
}

export function createEmitter({ router, session, bearer, told, page, from, seenAt }: EmitterParts): Emitter {
  const first = session.boot;
  const sinks = openSinks(first, page, told);
  const attention = watchAttention(page);
  const scroll = watchScroll(page);

  function toAll(call: (sink: Sink) => void): void {
    for (const sink of sinks) quietly(() => call(sink));
  }

  const pageviews = createPageviews({
    router,
    pageleave: first.telemetry.posthog?.pageleave ?? "route",
    version: first.version,
    from,
    seenAt,
    bearer,
    emit: (event: PageEvent) => toAll((sink) => sink.record(event)),
    clock: attention.clock,
    scroll,
    page: pageOf(page),
  });

  const listening = new AbortController();
  const { signal } = listening;
  page.document.addEventListener(
    "visibilitychange",
    () => page.document.visibilityState === "hidden" && toAll((sink) => sink.flush(false)),
    { signal },
  );
  // The router's listener is the older one: what it announces is in the sinks by now.
  page.addEventListener("pagehide", () => toAll((sink) => sink.flush(true)), { signal });
  page.addEventListener("pageshow", () => toAll((sink) => sink.wake()), { signal });
  page.addEventListener("online", () => toAll((sink) => sink.wake()), { signal });

  return {
    stop(how) {
      if (how === "leave") quietly(pageviews.leave);
      pageviews.stop();
      attention.stop();
      scroll.stop();
      listening.abort();
      toAll((sink) => sink.stop(how === "leave" ? "keep" : "forget"));
    },
  };
}

function openSinks(boot: Boot, page: Window & typeof globalThis, told: Told): Sink[] {
  const { posthog, plausible } = boot.telemetry;
  const sinks: Sink[] = [];
  if (posthog) {
    const load = () => import("./posthog.ts");
    sinks.push(createCapturing({ facts: posthog, baseUrl: boot.base_url, page: browser(page), load, told }));
  }
  if (plausible) sinks.push(createPlausibleSink({ facts: plausible, baseUrl: boot.base_url }));
  return sinks;
}

function browser(page: Window & typeof globalThis) {
  return {
    fetch: (url: string, init: RequestInit) => page.fetch(url, init),
    sendBeacon: (url: string, body: Blob) => page.navigator.sendBeacon(url, body),
    setTimeout: (callback: () => void, milliseconds: number) => page.setTimeout(callback, milliseconds),
    clearTimeout: (timer: number) => page.clearTimeout(timer),
    now: () => Date.now(),
    random: Math.random,
    onLine: () => page.navigator.onLine,
    referrer: page.document.referrer,
    automated: page.navigator.webdriver,
    storages: () => {
      try {
        return [page.localStorage, page.sessionStorage];
      } catch {
        return [];
      }
    },
  };
}

/** Telemetry's trouble is never the page's. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // Counting is not worth an error on somebody's screen.
  }
}
