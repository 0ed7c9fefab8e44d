// What posthog-js keeps in this browser, for when the SDK itself is not there to ask.

import type { Identifiers, PageEvent } from "./types.ts";
import { uuid7 } from "./uuid.ts";

/** The property that says whose identifiers the SDK's storage holds, empty for nobody's; never sent. */
export const OWNER = "owner";

const SESSION_IDLE_MS = 30 * 60_000;

/** What is kept of the person of an event, with their session if it still goes on; new identifiers for what is not. */
export function identifiersFor(event: PageEvent, storage: Pick<Storage, "getItem"> | undefined, apikey: string): Identifiers {
  const fresh = { distinct: uuid7(event.at), session: uuid7(event.at) };
  const kept = read(storage, apikey);
  if (kept?.[OWNER] !== (event.bearer.person?.distinct_id ?? "")) return fresh;
  const distinct = typeof kept["distinct_id"] === "string" ? kept["distinct_id"] : fresh.distinct;
  const [active, session] = Array.isArray(kept["$sesid"]) ? (kept["$sesid"] as [number, unknown]) : [NaN, null];
  const goesOn = event.at - active < SESSION_IDLE_MS && typeof session === "string";
  return { distinct, session: goesOn ? session : fresh.session };
}

function read(storage: Pick<Storage, "getItem"> | undefined, apikey: string): Record<string, unknown> | null {
  try {
    return JSON.parse(storage?.getItem(`ph_${apikey}_posthog`) ?? "null") as Record<string, unknown> | null;
  } catch {
    return null;
  }
}

export function forget(storages: readonly Storage[], apikey: string): void {
  for (const storage of storages) {
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
    for (const key of keys) if (key.startsWith("ph_") && key.includes(apikey)) storage.removeItem(key);
  }
}
