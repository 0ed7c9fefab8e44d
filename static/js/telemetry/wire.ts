// What the capture protocol's endpoint is sent.

export interface WireEvent {
  readonly uuid: string;
  readonly event: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly timestamp: string;
}

export function endpointOf(api_host: string): string {
  return `${api_host.replace(/\/$/, "")}/e/`;
}

/** `now`: milliseconds since the epoch. */
export function bodyOf(api_key: string, batch: readonly WireEvent[], now: number): Blob {
  const text = JSON.stringify({ api_key, batch, sent_at: new Date(now).toISOString() });
  // A type that needs no preflight, which could not be made while a page goes.
  return new Blob([text], { type: "text/plain" });
}
