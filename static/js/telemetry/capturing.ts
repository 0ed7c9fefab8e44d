// Page events on their way to PostHog: through the SDK, which completes them, then examined, then sent. What the SDK
// captures on its own account (`capture_pageview: true`) goes the same way.

import type { BrowserEventName } from "../generated/events.ts";
import { patiently } from "../patience.ts";
import type { Captured, Sdk } from "./posthog.ts";
import { addressed, identity, keyOf, placeOf, plainly, previous, targetsOf, type Plain, type Properties } from "./plain.ts";
import { allowed, type Value } from "./redact.ts";
import { forget } from "./sdk_storage.ts";
import { Transport, type TransportPage } from "./transport.ts";
import type { Facts, Identifiers, PageEvent, Sink, Told } from "./types.ts";

export interface CapturingParts {
  facts: Facts;
  baseUrl: string;
  page: TransportPage & {
    referrer: string;
    /** A browser under remote control is no visitor, unless this is a test. */
    automated: boolean;
    /** The one that lasts first; none where the browser refuses. */
    storages(): Storage[];
  };
  /** Fetches the SDK. */
  load(): Promise<{ openSdk(facts: Facts, take: (captured: Captured) => void, told?: [string, Identifiers]): Sdk }>;
  told: Told;
}

/** Events that may wait for the SDK. */
const EARLY_MAX = 600;

export function createCapturing({ facts, baseUrl, page, load, told }: CapturingParts): Sink {
  const targets = targetsOf(facts).map((target) => ({ target, transport: new Transport(target, page) }));
  let stopped = page.automated && !facts.dev;
  let opening: Promise<unknown> | null = null;
  /** The SDK did not come at the first try: maybe somebody keeps it out, and then nothing is told. */
  let doubted = false;
  let sdk: Sdk | null = null;
  let early: PageEvent[] = [];
  /** The event being captured; null while the SDK captures on its own account. */
  let ours: PageEvent | null = null;
  let latest: PageEvent | null = null;
  /** The session of the latest view. */
  let session: { view: string; id: unknown } | null = null;

  function record(event: PageEvent): void {
    if (stopped || told.events.has(keyOf(event))) return;
    latest = event;
    opening ??= open().catch(() => stopped || stop("forget"));
    if (sdk) capture(sdk, event);
    else early = [...early, event].slice(-EARLY_MAX);
    if (event.final) flush(true);
  }

  async function open(): Promise<void> {
    const { openSdk } = await patiently(load, pause);
    if (stopped) return;
    sdk = openSdk(facts, take, [...told.identifiers].at(-1));
    const waiting = early;
    early = [];
    for (const event of waiting) capture(sdk, event);
  }

  function pause(milliseconds: number): Promise<void> {
    doubted = true;
    return new Promise((resolve, reject) => page.setTimeout(() => (stopped ? reject : resolve)(), milliseconds));
  }

  function capture(client: Sdk, event: PageEvent): void {
    latest = ours = event;
    try {
      client.capture(event);
    } finally {
      ours = null;
    }
  }

  function take({ uuid, name, properties: raw, timestamp = new Date(page.now()) }: Captured): void {
    if (stopped || !latest || !isRecorded(name)) return;
    const properties = withoutPrevious(allowed(name, raw));
    Object.assign(properties, identity(String(raw["distinct_id"]), latest.bearer), placeOf(latest, baseUrl, page.referrer));
    if (ours) Object.assign(properties, chain(ours, properties["$session_id"]));
    send({ uuid, event: name, properties, timestamp: timestamp.toISOString() });
  }

  /** PostHog's own names for what was before. A session that has changed in between makes it another story. */
  function chain({ name, visit, ended }: PageEvent, sessionId: unknown): Properties {
    const same = session?.view === ended?.view_id && session?.id === sessionId;
    if (name === "$pageview") session = { view: visit.id, id: sessionId };
    return { $pageview_id: visit.id, ...(ended && same && previous(ended)) };
  }

  /** The page goes, or may, and the SDK has not come yet. */
  function tellEarly(): void {
    if (doubted) return;
    const [storage] = page.storages();
    plainly(early, { facts, baseUrl, referrer: page.referrer, storage, told }).forEach(send);
    early = [];
  }

  function send(event: Plain): void {
    for (const { target, transport } of targets) transport.send(addressed(event, target));
  }

  function flush(final: boolean): void {
    tellEarly();
    for (const { transport } of targets) transport.flush(final);
  }

  function stop(how: "keep" | "forget"): void {
    if (how === "keep") tellEarly();
    stopped = true;
    early = [];
    for (const { transport } of targets) transport.stop(how);
    sdk?.close();
    sdk = null;
    if (how === "keep") return;
    told.identifiers.clear();
    forget(page.storages(), facts.apikey);
  }

  return {
    record,
    flush,
    wake() {
      for (const { transport } of targets) transport.wake();
    },
    stop,
  };
}

function isRecorded(name: string): name is BrowserEventName {
  return name === "$pageview" || name === "$pageleave";
}

/** The SDK's own account of the view before knows neither whose it was nor that a page may sleep. */
function withoutPrevious(properties: Record<string, Value>): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !key.startsWith("$prev_pageview")));
}
