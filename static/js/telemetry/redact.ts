// What may be said of an address, a title, a value. Pure.

import { eventProperties, sdkProperties, type BrowserEventName } from "../generated/events.ts";
import { queryParameters, routes, virtualRoutes } from "../generated/routes.ts";
import type { Visit } from "../visit.ts";

export type Value = string | number | boolean;

const TITLES = new Map<string, string>([...routes, ...virtualRoutes].map(({ name, title }) => [name, title]));
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
// Names of browsers, systems, languages and versions: nothing an address or a token fits into.
const WORDS = /^[\p{L}\d][\p{L}\d .+-]{0,39}$/u;

/** The plan's title of a route: a document's own title holds names people gave. */
export function titleOf(route: string): string {
  return TITLES.get(route) ?? "";
}

/** Where a visit was, in the plan's words: its pattern below `base`, with the parameters the plan allows. */
export function addressOf(visit: Pick<Visit, "pattern" | "url">, base: string): Record<string, Value> {
  const { host } = new URL(base);
  const query = keptQuery(visit.url);
  return {
    $current_url: base.replace(/\/$/, "") + visit.pattern + (query && `?${query}`),
    $pathname: visit.pattern,
    $host: host,
  };
}

/** The part of an address's query that may stay, in the plan's order. */
export function keptQuery(url: string): string {
  const given = new URL(url, "http://unknown").searchParams;
  return Object.keys(queryParameters)
    .map((name) => [name, given.get(name)] as const)
    .filter(([, value]) => value !== null && DATE.test(value))
    .map(([name, value]) => `${name}=${String(value)}`)
    .join("&");
}

/** Where the visitor came from: nothing but the origin. Empty when it is not told or no page of the web. */
export function referrerOf(referrer: string): Record<string, Value> {
  if (!/^https?:\/\//i.test(referrer)) return { $referrer: "$direct", $referring_domain: "$direct" };
  const { origin, host } = new URL(referrer);
  return { $referrer: `${origin}/`, $referring_domain: host };
}

/**
 * What the plan allows of an event's properties, each checked by its type; everything else is left out. Addresses,
 * titles and referrers never pass: they are put in afterwards, made by the functions above.
 */
export function allowed(name: BrowserEventName, properties: Readonly<Record<string, unknown>>): Record<string, Value> {
  const kept: Record<string, Value> = {};
  for (const [key, type] of Object.entries(sdkProperties)) {
    const value = properties[key];
    if (fits(type, value)) kept[key] = value;
  }
  for (const key of [...eventProperties[name], "app_version", "role", "source"]) {
    const value = properties[key];
    if (isValue(value)) kept[key] = value;
  }
  return kept;
}

function fits(type: string, value: unknown): value is Value {
  switch (type) {
    case "boolean":
      return typeof value === "boolean";
    case "number":
    case "integer":
    case "ratio":
      return typeof value === "number" && Number.isFinite(value);
    case "uuid":
      return typeof value === "string" && UUID.test(value);
    case "enum":
    case "dotted":
    case "language":
      return typeof value === "string" && WORDS.test(value);
    default:
      return false;
  }
}

function isValue(value: unknown): value is Value {
  return typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}
