// The one file that knows posthog-js. The SDK gives events their identifiers, their session and what it knows of the
// browser; `before_send` takes each one, makes it fit to leave and hands it to `transport.ts`. The SDK itself sends
// nothing: it would open a request for each event, however many of them hang, and none could be taken back.

import type { CaptureResult, PostHog, PostHogConfig } from "posthog-js/dist/module.slim.no-external.js";

import type { PostHogFacts } from "../boot.ts";
import type { BrowserEventName } from "../generated/events.ts";
import { addressOf, allowed, referrerOf, titleOf, type Value } from "./redact.ts";
import { Transport, type TransportPage } from "./transport.ts";
import type { Bearer, Ended, PageEvent, Person, Sink } from "./types.ts";
import { uuid7 } from "./uuid.ts";

/** `local`: the installation's own endpoint, beside a direct PostHog. */
export type Facts = PostHogFacts & { local?: { apikey: string; api_host: string } | null };

export interface PostHogParts {
  facts: Facts;
  baseUrl: string;
  page: TransportPage & {
    referrer: string;
    /** A browser under remote control is no visitor, unless this is a test. */
    automated: boolean;
    storages(): Storage[];
  };
}

interface Identifiers {
  readonly distinct: string;
  readonly session: string;
}

type Properties = Record<string, Value | null>;

/** Whose identifiers the SDK's storage holds, empty for nobody's; never sent. */
const OWNER = "owner";
const SESSION_ENTRY = "$client_session_props";
/** Events that may wait for the SDK to be loaded. */
const EARLY_MAX = 50;
const SESSION_IDLE_MS = 30 * 60_000;
let instances = 0;

export function createPostHogSink({ facts, baseUrl, page }: PostHogParts): Sink {
  const targets = targetsOf(facts).map((target) => ({ ...target, transport: new Transport(target, page) }));
  const context: Properties = { ...referrerOf(page.referrer) };
  let early: PageEvent[] = [];
  let sdk: PostHog | null = null;
  let loading: Promise<void> | null = null;
  let stopped = page.automated && !facts.dev;
  /** The event being captured; null while the SDK captures on its own account. */
  let ours: PageEvent | null = null;
  let latest: PageEvent | null = null;
  let session: { view: string; id: unknown } | null = null;

  function record(event: PageEvent): void {
    if (stopped) return;
    loading ??= load().catch(() => stop("forget"));
    if (sdk) capture(sdk, event);
    else early = [...early, event].slice(-EARLY_MAX);
    if (event.final) flush(true);
  }

  function capture(client: PostHog, event: PageEvent): void {
    latest = event;
    become(client, event.bearer.person);
    ours = event;
    try {
      client.capture(event.name, { ...event.properties }, {
        uuid: event.uuid,
        timestamp: new Date(event.at),
        skip_client_rate_limiting: true,
      });
    } finally {
      ours = null;
      // The SDK notes the address a session began at, with all that stands in it.
      client.unregister(SESSION_ENTRY);
    }
  }

  function beforeSend(captured: CaptureResult | null): null {
    if (stopped || !captured || !latest) return null;
    const { event: name } = captured;
    if (!isRecorded(name)) return null;
    const properties = allowed(name, captured.properties);
    for (const key of Object.keys(properties)) if (key.startsWith("$prev_pageview")) delete properties[key];
    Object.assign(properties, identity(captured.properties["distinct_id"], latest.bearer), place(latest));
    if (ours) Object.assign(properties, chain(ours, properties["$session_id"]));
    const timestamp = (captured.timestamp ?? new Date(page.now())).toISOString();
    send({ uuid: captured.uuid, event: name, properties, timestamp });
    return null;
  }

  /** PostHog's own names for what was before. A session that has changed in between makes it another story. */
  function chain(event: PageEvent, sessionId: unknown): Properties {
    const { view_id } = event.properties;
    if (event.name === "$pageview") {
      const before = event.ended;
      const same = session?.view === before?.view_id && session?.id === sessionId;
      session = { view: event.visit.id, id: sessionId };
      return { $pageview_id: view_id ?? null, ...(before && same && previous(before)) };
    }
    const same = session?.view === event.visit.id && session.id === sessionId;
    return { $pageview_id: view_id ?? null, ...(event.ended && same && previous(event.ended)) };
  }

  function place({ visit }: PageEvent): Properties {
    return { ...context, ...addressOf(visit, baseUrl), title: titleOf(visit.route) };
  }

  function identity(anonymous: unknown, { person }: Bearer): Properties {
    return {
      distinct_id: person?.distinct_id ?? String(anonymous),
      $process_person_profile: Boolean(person?.distinct_id),
      $is_identified: Boolean(person?.distinct_id),
      ...(person?.ticket && { ticket: person.ticket }),
    };
  }

  /** The page goes and the SDK has not come yet: what happened is told without what only the SDK knows. */
  function tellEarly(): void {
    const known = new Map<Person | null, Identifiers>();
    for (const event of early) {
      const { person } = event.bearer;
      const identifiers = known.get(person) ?? storedBy(page.storages()[0], facts.apikey, event);
      known.set(person, identifiers);

      const timestamp = new Date(event.at).toISOString();
      const properties = {
        ...allowed(event.name, { ...event.properties }),
        ...identity(identifiers.distinct, event.bearer),
        ...place(event),
        $pageview_id: event.visit.id,
        $session_id: identifiers.session,
        $lib: "web",
      };
      send({ uuid: event.uuid, event: event.name, properties, timestamp });
    }
    early = [];
  }

  function send(event: { uuid: string; event: string; properties: Properties; timestamp: string }): void {
    const { ticket, ...rest } = event.properties;
    for (const { apikey: token, relay, transport } of targets) {
      const properties = { ...rest, token, ...(relay && ticket !== undefined && { ticket }) };
      transport.send({ ...event, properties });
    }
  }

  function flush(final: boolean): void {
    if (final) tellEarly();
    for (const { transport } of targets) transport.flush(final);
  }

  function wake(): void {
    for (const { transport } of targets) transport.wake();
  }

  function stop(how: "keep" | "forget"): void {
    if (how === "keep") flush(true);
    stopped = true;
    early = [];
    for (const { transport } of targets) transport.stop();
    void sdk?.shutdown();
    if (how === "forget") forget(page.storages(), facts.apikey);
  }

  /** Where the SDK is kept out, nothing is told. */
  async function load(): Promise<void> {
    const { default: posthog } = await import("posthog-js/dist/module.slim.no-external.js");
    if (stopped) return;
    instances += 1;
    // A named instance can be started anew after a stop, the library's own cannot.
    sdk = posthog.init(facts.apikey, settings(facts, beforeSend), `v${instances}`);
    const waiting = early;
    early = [];
    for (const event of waiting) capture(sdk, event);
  }

  return { record, flush, wake, stop };
}

/** Only a relay is shown the ticket: it proves a person to this installation, and to nobody else. */
function targetsOf(facts: Facts): { apikey: string; api_host: string; relay: boolean }[] {
  const { apikey, api_host, transport, local } = facts;
  return [{ apikey, api_host, relay: transport === "relay" }, ...(local ? [{ ...local, relay: true }] : [])];
}

/** Makes the SDK's storage this person's: whoever used this browser before leaves nothing behind. */
function become(client: PostHog, person: Person | null): void {
  const owner: unknown = client.get_property(OWNER);
  const next = person?.distinct_id ?? "";
  if (owner === next) return;
  if (owner !== undefined) client.reset(true);
  client.register({ [OWNER]: next });
}

/** What the SDK has kept of this person, if its session still goes on; else new identifiers. */
function storedBy(storage: Storage | undefined, apikey: string, event: PageEvent): Identifiers {
  const fresh = { distinct: uuid7(event.at), session: uuid7(event.at) };
  try {
    const stored = JSON.parse(storage?.getItem(`ph_${apikey}_posthog`) ?? "null") as Record<string, unknown> | null;
    const [active, session] = stored?.["$sesid"] as [number, string];
    if (stored?.[OWNER] !== (event.bearer.person?.distinct_id ?? "")) return fresh;
    if (event.at - active > SESSION_IDLE_MS) return fresh;
    return { distinct: String(stored["distinct_id"]), session };
  } catch {
    return fresh;
  }
}

function isRecorded(name: string): name is BrowserEventName {
  return name === "$pageview" || name === "$pageleave";
}

function previous({ view_id, route_pattern, total_ms, scroll_depth }: Ended): Properties {
  return {
    $prev_pageview_id: view_id,
    $prev_pageview_pathname: route_pattern,
    $prev_pageview_duration: total_ms / 1000,
    $prev_pageview_max_scroll_percentage: scroll_depth,
  };
}

function forget(storages: Storage[], apikey: string): void {
  for (const storage of storages) {
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
    for (const key of keys) if (key.startsWith("ph_") && key.includes(apikey)) storage.removeItem(key);
  }
}

function settings(facts: Facts, beforeSend: (event: CaptureResult | null) => null): Partial<PostHogConfig> {
  return {
    api_host: facts.api_host,
    capture_pageview: facts.capture_pageview,
    capture_pageleave: false,
    before_send: beforeSend,
    defaults: "2026-08-30",
    internal_or_test_user_hostname: null,
    opt_out_useragent_filter: facts.dev,
    person_profiles: "never",
    persistence: "localStorage",
    persistence_save_debounce_ms: 0,
    advanced_disable_flags: true,
    advanced_disable_toolbar_metrics: true,
    autocapture: false,
    rageclick: false,
    capture_dead_clicks: false,
    capture_heatmaps: false,
    capture_exceptions: false,
    capture_performance: false,
    disable_session_recording: true,
    disable_surveys: true,
    disable_product_tours: true,
    disable_conversations: true,
    disable_web_experiments: true,
    disable_external_dependency_loading: true,
    disableDeviceModel: true,
    opt_in_site_apps: false,
    save_campaign_params: false,
    save_referrer: false,
    disable_scroll_properties: true,
    debug: false,
  };
}
