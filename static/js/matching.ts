// From a path to a route. Pure.

import type { Params, RouteDef, RouteMatch } from "./visit.ts";

interface Compiled<N extends string> {
  route: RouteDef<N>;
  segments: readonly string[];
}

/**
 * Returns the function that finds a path's route. Where several fit, the one wins whose first differing segment is
 * static (`/team/create` before `/team/:team`). Parameters are decoded; a path that cannot be decoded fits nothing, nor
 * does one with an empty segment. One slash at the end is the same address.
 */
export function compile<N extends string>(routes: readonly RouteDef<N>[]): (path: string) => RouteMatch<N> | null {
  const table = routes.map((route) => ({ route, segments: split(route.pattern) })).toSorted(staticFirst);
  return (path) => {
    const segments = split(path);
    for (const { route, segments: pattern } of table) {
      const params = fit(pattern, segments);
      if (params) return { route: route.name, pattern: route.pattern, params };
    }
    return null;
  };
}

/** The path of a route. Throws when a parameter is missing: that is a mistake in the calling code. */
export function pathTo(pattern: string, params: Params = {}): string {
  return pattern.replace(/:(\w+)/g, (_, name: string) => {
    const value = params[name];
    if (!value) throw new Error(`${pattern} needs ${name}`);
    return encodeURIComponent(value);
  });
}

function split(path: string): string[] {
  const whole = path.endsWith("/") && !path.endsWith("//") ? path.slice(0, -1) : path;
  return whole === "" ? [] : whole.slice(1).split("/");
}

function staticFirst<N extends string>(a: Compiled<N>, b: Compiled<N>): number {
  for (const [index, segment] of a.segments.entries()) {
    const other = b.segments[index];
    if (other === undefined) break;
    const order = Number(segment.startsWith(":")) - Number(other.startsWith(":"));
    if (order !== 0) return order;
  }
  return 0;
}

function fit(pattern: readonly string[], segments: readonly string[]): Params | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const value = decode(segments[index] ?? "");
    if (!value) return null;
    if (expected.startsWith(":")) params[expected.slice(1)] = value;
    else if (expected !== value) return null;
  }
  return params;
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
