// What posthog-js keeps in this browser, for when the SDK itself is not there to ask.

import type { PageEvent } from "./types.ts";
import { uuid7 } from "./uuid.ts";

/** The property that says whose identifiers the SDK's storage holds, empty for nobody's; never sent. */
export const OWNER = "owner";

const SESSION_IDLE_MS = 30 * 60_000;

export interface Identifiers {
  readonly distinct: string;
  readonly session: string;
}

/** What is kept of the person of an event, if their session still goes on; else new identifiers. */
export function identifiersFor(event: PageEvent, storage: Pick<Storage, "getItem"> | undefined, apikey: string): Identifiers {
  const fresh = { distinct: uuid7(event.at), session: uuid7(event.at) };
  try {
    const kept = JSON.parse(storage?.getItem(`ph_${apikey}_posthog`) ?? "{}") as Record<string, unknown>;
    const [active, session] = kept["$sesid"] as [number, string];
    const theirs = kept[OWNER] === (event.bearer.person?.distinct_id ?? "");
    return theirs && event.at - active < SESSION_IDLE_MS ? { distinct: String(kept["distinct_id"]), session } : fresh;
  } catch {
    return fresh;
  }
}

export function forget(storages: readonly Storage[], apikey: string): void {
  for (const storage of storages) {
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
    for (const key of keys) if (key.startsWith("ph_") && key.includes(apikey)) storage.removeItem(key);
  }
}
