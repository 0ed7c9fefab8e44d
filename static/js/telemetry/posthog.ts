// The one file that knows posthog-js, a chunk of its own with it. The SDK gives events their identifiers, their session
// and what it knows of the browser; `before_send` takes each one away. The SDK itself sends nothing: it would open a
// request for each event, however many of them hang, and none could be taken back.

import posthog, { type CaptureResult, type PostHog, type PostHogConfig } from "posthog-js/dist/module.slim.no-external.js";

import type { Facts, Identifiers, PageEvent, Person } from "./types.ts";
import { OWNER } from "./sdk_storage.ts";

/** An event as the SDK has made it; nothing of it may leave unexamined. */
export interface Captured {
  readonly uuid: string;
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly timestamp: Date | undefined;
}

export interface Sdk {
  capture(event: PageEvent): void;
  /** Writes down what it keeps, and lets go. */
  close(): void;
}

const SESSION_ENTRY = "$client_session_props";
let instances = 0;

/** `told`: what somebody was last told with before the SDK came; who is new to the SDK goes on under it. */
export function openSdk(facts: Facts, take: (captured: Captured) => void, told?: [string, Identifiers]): Sdk {
  instances += 1;
  // A named instance can be started anew after a stop, the library's own cannot.
  const client = posthog.init(facts.apikey, settings(facts, handing(take)), `v${instances}`);
  if (told && client.get_property(OWNER) === undefined) {
    const [owner, { distinct, session }] = told;
    client.reset({ resetDeviceID: true, bootstrap: { distinctID: distinct, sessionID: session } });
    client.register({ [OWNER]: owner });
  }
  return {
    capture({ name, uuid, at, bearer, properties }) {
      become(client, bearer.person);
      // An options object would make the SDK send at once: it does not come to that.
      client.capture(name, { ...properties }, { uuid, timestamp: new Date(at), skip_client_rate_limiting: true });
      // The SDK notes the address a session began at, with all that stands in it.
      client.unregister(SESSION_ENTRY);
    },
    close() {
      void client.shutdown();
    },
  };
}

function handing(take: (captured: Captured) => void): (event: CaptureResult | null) => null {
  return (event) => {
    if (event) take({ uuid: event.uuid, name: event.event, properties: event.properties, timestamp: event.timestamp });
    return null;
  };
}

/** Makes the SDK's storage this person's: whoever used this browser before leaves nothing behind. */
function become(client: PostHog, person: Person | null): void {
  const owner: unknown = client.get_property(OWNER);
  const next = person?.distinct_id ?? "";
  if (owner === next) return;
  if (owner !== undefined) client.reset(true);
  client.register({ [OWNER]: next });
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
