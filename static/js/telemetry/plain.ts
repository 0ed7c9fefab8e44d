// Page events in the words of the capture protocol, told by what the page itself knows.

import { addressOf, referrerOf, titleOf } from "./address.ts";
import type { Value } from "./redact.ts";
import { identifiersFor } from "./sdk_storage.ts";
import type { Bearer, Ended, Facts, PageEvent, Told } from "./types.ts";
import type { WireEvent } from "./wire.ts";

export type Properties = Record<string, Value | null>;

/** Where events go. */
export interface Target {
  readonly apikey: string;
  readonly api_host: string;
  /** Only this installation is shown the ticket: it proves a person here, and to nobody else. */
  readonly relay: boolean;
}

export interface Teller {
  facts: Facts;
  baseUrl: string;
  /** The document's. */
  referrer: string;
  /** The one that lasts; none where the browser refuses. */
  storage: Pick<Storage, "getItem"> | undefined;
  told: Told;
}

export function targetsOf({ apikey, api_host, transport, local }: Facts): Target[] {
  return [{ apikey, api_host, relay: transport === "relay" }, ...(local ? [{ ...local, relay: true }] : [])];
}

export function addressed({ properties, ...event }: Plain, { apikey: token, relay }: Target): WireEvent {
  const { ticket = null, ...rest } = properties;
  return { ...event, properties: { ...rest, token, ...(relay && ticket !== null && { ticket }) } };
}

/** An event on its way to any target: with the ticket, without the key. */
export interface Plain extends WireEvent {
  readonly properties: Properties;
}

/** What tells the events of a page's life apart: each is told once. */
export function keyOf({ name, visit }: PageEvent): string {
  return name + visit.id;
}

/** The events without what only the SDK knows, and without what was told already: they do not wait until it comes. */
export function plainly(events: readonly PageEvent[], { facts, baseUrl, referrer, storage, told }: Teller): Plain[] {
  return events.filter((event) => !told.events.has(keyOf(event))).map((event) => {
    told.events.add(keyOf(event));
    const { uuid, name, at, bearer, visit, properties, ended } = event;
    const whose = bearer.person?.distinct_id ?? "";
    const identifiers = told.identifiers.get(whose) ?? identifiersFor(event, storage, facts.apikey);
    told.identifiers.set(whose, identifiers);
    const made = {
      ...properties,
      ...identity(identifiers.distinct, bearer),
      ...placeOf(event, baseUrl, referrer),
      $pageview_id: visit.id,
      $session_id: identifiers.session,
      $lib: "web",
      ...(ended && previous(ended)),
    };
    return { uuid, event: name, properties: made, timestamp: new Date(at).toISOString() };
  });
}

export function placeOf({ visit }: PageEvent, baseUrl: string, referrer: string): Properties {
  return { ...referrerOf(referrer), ...addressOf(visit, baseUrl), title: titleOf(visit.route) };
}

export function identity(anonymous: string, { person }: Bearer): Properties {
  const identified = Boolean(person?.distinct_id);
  return {
    distinct_id: person?.distinct_id ?? anonymous,
    $process_person_profile: identified,
    $is_identified: identified,
    ticket: person?.ticket ?? null,
  };
}

export function previous({ view_id, route_pattern, total_ms, scroll_depth }: Ended): Properties {
  return {
    $prev_pageview_id: view_id,
    $prev_pageview_pathname: route_pattern,
    $prev_pageview_duration: total_ms / 1000,
    $prev_pageview_max_scroll_percentage: scroll_depth,
  };
}
