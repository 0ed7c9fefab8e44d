import { useState } from "preact/hooks";

import type { PageContext } from "../../page.ts";

/** Changes parameters of the address; an empty value removes one. */
export type ChangeQuery = (changes: Readonly<Record<string, string>>) => void;

/**
 * State of a view that lives in the address (a measure, an order, a filter): changing it neither loads nor adds to the
 * history. What the router brings anew wins.
 */
export function useQueryState(ctx: PageContext): readonly [URLSearchParams, ChangeQuery] {
  const [own, setOwn] = useState<{ ctx: PageContext; query: URLSearchParams } | null>(null);
  const query = own?.ctx === ctx ? own.query : ctx.query;
  const change: ChangeQuery = (changes) => {
    const next = changed(query, changes);
    setOwn({ ctx, query: next });
    // "?" alone would stay in the address as it is.
    ctx.navigate(next.size > 0 ? `?${next}` : location.pathname, { replace: true, load: false, scroll: false });
  };
  return [query, change];
}

/** `query` with parameters set or, where the value is empty, removed. Pure. */
export function changed(query: URLSearchParams, changes: Readonly<Record<string, string>>): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  return next;
}
