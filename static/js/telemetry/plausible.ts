// Deprecated since 0.9: views, and nothing else, to Plausible. The one file that knows its tracker.

import type { Sink } from "./types.ts";

export interface PlausibleParts {
  facts: { domain: string; src: string };
  baseUrl: string;
}

// The tracker takes its settings once in a page's life, whoever starts it again.
let initialised = false;
let running: { base: string } | null = null;

export function createPlausibleSink({ facts, baseUrl }: PlausibleParts): Sink {
  const self = { base: baseUrl.replace(/\/$/, "") };
  let early: string[] = [];
  let track: ((pattern: string) => void) | null = null;
  running = self;

  async function load(): Promise<void> {
    const tracker = await import("@plausible-analytics/tracker");
    if (running !== self) return;
    if (!initialised) {
      initialised = true;
      tracker.init({
        domain: facts.domain,
        endpoint: `${facts.src.replace(/\/$/, "")}/api/event`,
        autoCapturePageviews: false,
        outboundLinks: false,
        fileDownloads: false,
        formSubmissions: false,
        hashBasedRouting: false,
        captureOnLocalhost: true,
        logging: false,
        bindToWindow: false,
        // Under another name the tracker would not follow up with messages about scrolling and time, which it sends
        // past this function and also after a stop.
        transformRequest: (payload) => running && { ...payload, n: "pageview", r: originOf(payload.r) },
      });
    }
    track = (pattern) => tracker.track("view", { url: self.base + pattern });
    for (const pattern of early) track(pattern);
    early = [];
  }

  void load().catch(() => (running = null));
  return {
    record(event) {
      if (event.name !== "$pageview" || running !== self) return;
      if (track) track(event.visit.pattern);
      else early = [...early, event.visit.pattern].slice(-50);
    },
    flush: () => undefined,
    wake: () => undefined,
    stop() {
      if (running === self) running = null;
      early = [];
    },
  };
}

function originOf(referrer: string | null | undefined): string | null {
  return referrer && URL.canParse(referrer) ? new URL(referrer).origin : null;
}
