// What was fetched ahead of a click: kept for a moment, used once.

const FRESH_MS = 10_000;
const MOST = 8;

interface Kept<V> {
  value: Promise<V>;
  controller: AbortController;
  until: number;
}

export interface Ahead<V> {
  fetch(url: string): void;
  /** What was fetched for `url`, if it is still fresh; it is then no longer kept. */
  take(url: string): Promise<V> | undefined;
  /** Drops everything: somebody else has signed in, or something has changed. */
  clear(): void;
}

export function createAhead<V>(load: (url: string, signal: AbortSignal) => Promise<V>, now: () => number): Ahead<V> {
  const kept = new Map<string, Kept<V>>();

  function drop(url: string): void {
    kept.get(url)?.controller.abort();
    kept.delete(url);
  }

  function prune(): void {
    for (const [url, one] of kept) if (one.until < now()) drop(url);
    for (const url of kept.keys()) if (kept.size > MOST) drop(url);
  }

  return {
    fetch(url) {
      prune();
      if (kept.has(url)) return;
      const controller = new AbortController();
      const value = load(url, controller.signal);
      kept.set(url, { value, controller, until: now() + FRESH_MS });
      // A click will try again and show what is wrong; ahead of it nobody wants to know.
      value.catch(() => kept.get(url)?.value === value && kept.delete(url));
    },
    take(url) {
      prune();
      const found = kept.get(url)?.value;
      kept.delete(url);
      return found;
    },
    clear() {
      for (const url of [...kept.keys()]) drop(url);
    },
  };
}
