// Tells what happens to whoever listens. Listeners can be late, and can fail: neither is the router's business.

import type { Announce, Announcer, Listener } from "./visit.ts";

// Half as many views: more than anybody looks at while a slow network brings what listens.
const KEPT = 600;

export interface Announcements<N extends string = string> extends Announcer<N>, Announce<N> {
  /** Forgets what was announced: nobody who listens later learns of it. */
  forget(): void;
}

export function createAnnouncer<N extends string = string>(): Announcements<N> {
  type Telling = (listener: Listener<N>) => void;
  const listeners = new Set<Listener<N>>();
  let past: Telling[] = [];
  let current: Announcer<N>["current"] = null;

  function tell(telling: Telling): void {
    past = [...past, telling].slice(-KEPT);
    for (const listener of [...listeners]) safely(telling, listener);
  }

  return {
    get current() {
      return current;
    },
    enter(visit) {
      current = visit;
      tell((listener) => listener.enter?.(visit));
    },
    leave(visit, leave) {
      current = null;
      tell((listener) => listener.leave?.(visit, leave));
    },
    update(visit) {
      current = visit;
      tell((listener) => listener.update?.(visit));
    },
    listen(listener, { replay = false } = {}) {
      if (replay) for (const telling of past) safely(telling, listener);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    forget() {
      past = [];
    },
  };
}

function safely<L>(telling: (listener: L) => void, listener: L): void {
  try {
    telling(listener);
  } catch (error) {
    console.error(error);
  }
}
