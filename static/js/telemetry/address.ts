// What may be said of an address, a title, a referrer: words of the plan, nothing else. Pure.

import { queryParameters, routes, virtualRoutes } from "../generated/routes.ts";
import type { Visit } from "../visit.ts";

const TITLES = new Map<string, string>([...routes, ...virtualRoutes].map(({ name, title }) => [name, title]));
const DATE = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;

/** The plan's title of a route: a document's own title holds names people gave. */
export function titleOf(route: string): string {
  return TITLES.get(route) ?? "";
}

/** Where a visit was, in the plan's words: its pattern below `base`, with the parameters the plan allows. */
export function addressOf(visit: Pick<Visit, "pattern" | "url">, base: string): Record<string, string> {
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
export function referrerOf(referrer: string): Record<string, string> {
  if (!/^https?:\/\//i.test(referrer)) return { $referrer: "$direct", $referring_domain: "$direct" };
  const { origin, host } = new URL(referrer);
  return { $referrer: `${origin}/`, $referring_domain: host };
}
