import { useEffect, useRef, useState } from "preact/hooks";

import { ApiError } from "../../api.ts";

/** The longest pause between two tries after failures. */
const SLOWEST_MS = 15_000;

export interface Polled<T> {
  readonly data: T;
  /** Why the newest try failed; null once one succeeds again. */
  readonly problem: string | null;
}

/**
 * Asks again `every` milliseconds after each answer, only while `active` and the page is visible, and slower while it
 * fails. `fetch` gets a signal that is aborted when the view goes. Starts with `first`, and again when `first` changes.
 */
export function usePolling<T>(
  first: T,
  fetch: (signal: AbortSignal) => Promise<T>,
  every: number,
  active: boolean,
): Polled<T> {
  const [polled, setPolled] = useState<Polled<T>>({ data: first, problem: null });
  const ask = useRef(fetch);
  ask.current = fetch;

  useEffect(() => setPolled({ data: first, problem: null }), [first]);

  useEffect(() => {
    if (!active) return;
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let asking = false;

    const wait = (milliseconds: number) => {
      clearTimeout(timer);
      timer = setTimeout(tick, milliseconds);
    };
    async function tick(): Promise<void> {
      if (document.hidden || asking) return;
      asking = true;
      try {
        const data = await ask.current(stop.signal);
        failures = 0;
        if (!stop.signal.aborted) setPolled({ data, problem: null });
      } catch (error) {
        failures += 1;
        if (!stop.signal.aborted) setPolled((before) => ({ ...before, problem: reason(error) }));
      }
      asking = false;
      if (!stop.signal.aborted) wait(Math.min(every * 2 ** Math.min(failures, 8), Math.max(every, SLOWEST_MS)));
    }
    const seen = () => {
      if (!document.hidden) wait(0);
    };

    document.addEventListener("visibilitychange", seen);
    wait(every);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [active, every]);

  return polled;
}

function reason(error: unknown): string {
  return error instanceof ApiError ? error.message : "The newest numbers could not be fetched.";
}
