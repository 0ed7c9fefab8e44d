// Brings events to one endpoint that speaks PostHog's capture protocol: in order, one request at a time, so that an
// endpoint that hangs never takes the connections the page needs; patiently, within bounds; by beacon at the end.

import { bodyOf, endpointOf, type WireEvent } from "./wire.ts";

export type { WireEvent };

export interface TransportPage {
  fetch(url: string, init: RequestInit): Promise<Response>;
  sendBeacon(url: string, body: Blob): boolean;
  setTimeout(callback: () => void, milliseconds: number): number;
  clearTimeout(timer: number): void;
  /** Milliseconds since the epoch. */
  now(): number;
  random(): number;
  onLine(): boolean;
}

/** Events that may wait; the oldest are dropped first when there are more. */
export const WAITING_MAX = 600;
export const TIMEOUT_MS = 10_000;
// A browser takes 64 KiB of bodies that outlive their page, all of them together.
const BODY_MAX = 30_000;
const BATCH_MAX = 20;
const PAUSE_MS = 60_000;
const PATIENCE_MS = 5 * 60_000;
const STUCK_MS = 3_000;

interface Waiting {
  readonly event: WireEvent;
  readonly size: number;
}

interface Flight {
  readonly batch: Waiting[];
  /** How many were in doubt when it began: its success tells that the endpoint was there afterwards. */
  readonly doubts: number;
  readonly since: number;
  readonly abort: AbortController;
}

type Outcome = { readonly done: true } | { readonly done: false; readonly pause: number | null };

export class Transport {
  readonly #url: string;
  readonly #key: string;
  readonly #page: TransportPage;
  #waiting: Waiting[] = [];
  /** Given to a beacon, which tells nothing of its fate, or in a request when the page went. */
  #doubtful: Waiting[] = [];
  #flight: Flight | null = null;
  #failures = 0;
  #timer: number | null = null;
  /** The page has gone, and is not back. */
  #gone = false;
  #closed = false;

  constructor(target: { api_host: string; apikey: string }, page: TransportPage) {
    this.#url = endpointOf(target.api_host);
    this.#key = target.apikey;
    this.#page = page;
  }

  /** Takes an event; it is on its way when the current task ends, unless others are before it. */
  send(event: WireEvent): void {
    if (this.#closed) return;
    this.#waiting.push({ event, size: JSON.stringify(event).length });
    this.#waiting.splice(0, this.#waiting.length - WAITING_MAX);
    queueMicrotask(() => this.#pump());
  }

  /**
   * Hands everything that waits to the browser, which delivers it when the page is gone. `final`: it goes now. Should
   * the page live on, it is kept until a later request succeeds, and goes again with one that fails: its uuid makes it
   * one event, however often it arrives.
   */
  flush(final: boolean): void {
    this.#gone ||= final;
    this.#takeBackIfStuck();
    while (this.#waiting.length > 0) {
      const batch = firstOf(this.#waiting);
      if (!this.#page.sendBeacon(this.#url, this.#body(batch))) break;
      this.#waiting.splice(0, batch.length);
      this.#doubtful.push(...batch);
      // Without a network the browser takes a beacon all the same, and loses it.
      if (!this.#page.onLine()) this.#failures ||= 1;
    }
    if (this.#doubtful.length > 0 && this.#failures > 0) this.#wait(this.#backOff());
  }

  /** The network is back, or a page is: try now. */
  wake(): void {
    this.#gone = false;
    this.#cancelTimer();
    this.#retry();
  }

  /** Takes nothing any more. `keep`: brings what is under way to its end; `forget`: drops it. */
  stop(how: "keep" | "forget"): void {
    this.#closed = true;
    if (how === "keep") return this.flush(false);
    this.#cancelTimer();
    this.#waiting = [];
    this.#doubtful = [];
    this.#flight?.abort.abort();
    this.#flight = null;
  }

  #pump(): void {
    // Whoever has stopped is not told any more when the network is back.
    if (this.#flight || this.#timer !== null || !(this.#closed || this.#page.onLine())) return;
    const batch = firstOf(this.#waiting);
    if (batch.length === 0) return;
    this.#waiting.splice(0, batch.length);
    const flight = { batch, doubts: this.#doubtful.length, since: this.#page.now(), abort: new AbortController() };
    this.#flight = flight;
    void this.#fly(flight).then((outcome) => this.#land(flight, outcome));
  }

  async #fly({ batch, abort }: Flight): Promise<Outcome> {
    const timer = this.#page.setTimeout(() => abort.abort(), TIMEOUT_MS);
    try {
      const answer = await this.#page.fetch(this.#url, {
        method: "POST",
        body: this.#body(batch),
        // A gate in front of this server may know the browser by its cookie; another host gets none.
        credentials: "same-origin",
        keepalive: true,
        redirect: "error",
        referrerPolicy: "strict-origin",
        signal: abort.signal,
      });
      return await outcomeOf(answer);
    } catch {
      return { done: false, pause: null };
    } finally {
      this.#page.clearTimeout(timer);
    }
  }

  #land(flight: Flight, outcome: Outcome): void {
    // A flight that was given up has its events in the queue again.
    if (this.#flight !== flight) return;
    this.#flight = null;
    if (outcome.done) {
      this.#failures = 0;
      this.#doubtful.splice(0, flight.doubts);
      return this.#pump();
    }
    this.#failures += 1;
    this.#doubtful.splice(flight.doubts, 0, ...flight.batch);
    // The browser finishes the request that is under way, but tells the dying page that it has failed.
    if (this.#gone) return;
    this.#takeBack();
    this.#wait(outcome.pause ?? this.#backOff());
  }

  #backOff(): number {
    const most = Math.min(PATIENCE_MS, 2_000 * 2 ** this.#failures);
    return most * (0.5 + this.#page.random() / 2);
  }

  #wait(milliseconds: number): void {
    // A page that comes back is woken.
    if (this.#gone || this.#timer !== null) return;
    this.#timer = this.#page.setTimeout(() => {
      this.#timer = null;
      this.#retry();
    }, milliseconds);
  }

  #retry(): void {
    if (this.#failures > 0) this.#takeBack();
    this.#pump();
  }

  #cancelTimer(): void {
    if (this.#timer !== null) this.#page.clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** A request that takes long will not be heard of once the page is gone: its events go again, by beacon. */
  #takeBackIfStuck(): void {
    const flight = this.#flight;
    if (!flight || (this.#failures === 0 && this.#page.now() - flight.since < STUCK_MS)) return;
    this.#flight = null;
    this.#failures ||= 1;
    flight.abort.abort();
    this.#waiting.unshift(...flight.batch);
  }

  /** Whatever is in doubt waits again. */
  #takeBack(): void {
    this.#waiting = [...this.#doubtful, ...this.#waiting].slice(-WAITING_MAX);
    this.#doubtful = [];
  }

  #body(batch: readonly Waiting[]): Blob {
    return bodyOf(this.#key, batch.map(({ event }) => event), this.#page.now());
  }
}

function firstOf(waiting: readonly Waiting[]): Waiting[] {
  let size = 0;
  let count = 0;
  for (const next of waiting.slice(0, BATCH_MAX)) {
    size += next.size;
    if (count > 0 && size > BODY_MAX) break;
    count += 1;
  }
  return waiting.slice(0, count);
}

/** What becomes of a batch: delivered (or refused for good), or to be tried again. Only 200 with JSON is success. */
async function outcomeOf(answer: Response): Promise<Outcome> {
  const { status } = answer;
  if (status === 200) return accepted(await answer.json().catch(() => null));
  await answer.body?.cancel();
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return { done: true };
  const seconds = Number(answer.headers.get("Retry-After") ?? NaN);
  return { done: false, pause: seconds >= 0 ? Math.min(seconds * 1000, PATIENCE_MS) : null };
}

function accepted(answer: unknown): Outcome {
  if (typeof answer !== "object" || answer === null) return { done: false, pause: null };
  const { quota_limited: limited } = answer as { quota_limited?: unknown };
  return Array.isArray(limited) && limited.includes("events") ? { done: false, pause: PAUSE_MS } : { done: true };
}
