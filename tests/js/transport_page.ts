// A transport on a page whose network and time are in our hands.

import assert from "node:assert/strict";

import { Transport, type WireEvent } from "../../static/js/telemetry/transport.ts";

interface Sent {
  how: "fetch" | "beacon";
  url: string;
  body: { api_key: string; batch: WireEvent[]; sent_at: string };
}

export type Behaviour = (signal: AbortSignal) => Promise<Response>;

export const OK: Behaviour = () => Promise.resolve(Response.json({ status: 1 }));
export const status = (code: number, headers: Record<string, string> = {}): Behaviour => () =>
  Promise.resolve(new Response("no", { status: code, headers }));
export const HANG: Behaviour = (signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));

/** A page whose network and time are in our hands. */
export class FakePage {
  sent: Sent[] = [];
  behave: Behaviour = OK;
  beaconFull = false;
  online = true;
  time = 1_000_000;
  timers = new Map<number, { at: number; callback: () => void }>();
  #next = 1;
  #bodies: Promise<void> = Promise.resolve();

  #note(how: Sent["how"], url: string, body: Blob): void {
    this.#bodies = this.#bodies.then(async () => void this.sent.push({ how, url, body: JSON.parse(await body.text()) }));
  }

  fetch = (url: string, init: RequestInit): Promise<Response> => {
    assert.deepEqual([init.method, init.keepalive, (init.body as Blob).type], ["POST", true, "text/plain"]);
    this.#note("fetch", url, init.body as Blob);
    return this.behave(init.signal as AbortSignal);
  };
  sendBeacon = (url: string, body: Blob): boolean => {
    if (!this.beaconFull) this.#note("beacon", url, body);
    return !this.beaconFull;
  };
  setTimeout = (callback: () => void, milliseconds: number): number => {
    this.timers.set(this.#next, { at: this.time + milliseconds, callback });
    return this.#next++;
  };
  clearTimeout = (timer: number): void => void this.timers.delete(timer);
  now = () => this.time;
  random = () => 1;
  onLine = () => this.online;

  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
    await this.#bodies;
  }

  async pass(milliseconds: number): Promise<void> {
    await this.settle();
    const end = this.time + milliseconds;
    for (;;) {
      const due = [...this.timers].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].callback();
      await this.settle();
    }
    this.time = end;
  }

  names(): string[][] {
    return this.sent.map(({ body }) => body.batch.map(({ uuid }) => uuid));
  }
}

export function event(uuid: string, size = 10): WireEvent {
  return { uuid, event: "$pageview", properties: { text: "x".repeat(size) }, timestamp: "2026-01-01T00:00:00.000Z" };
}

export function opened(): { page: FakePage; transport: Transport } {
  const page = new FakePage();
  return { page, transport: new Transport({ api_host: "http://h/q7/", apikey: "phc_x" }, page) };
}

/** The event "a" is being fetched, until `answer` is given. */
export async function underWay(): Promise<{ page: FakePage; transport: Transport; answer: (response: Response) => void }> {
  const { page, transport } = opened();
  let give = (_: Response): void => undefined;
  page.behave = () => new Promise((resolve) => (give = resolve));
  transport.send(event("a"));
  await page.settle();
  return { page, transport, answer: (response) => give(response) };
}
