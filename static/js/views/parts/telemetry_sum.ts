/** Sums over the telemetry status, so that every page says the same number. Pure. */

import type { TelemetryStatus } from "./shapes.ts";

export interface Received {
  readonly accepted: number;
  readonly dropped: number;
  /** Everything that was sent to this server: accepted and dropped. */
  readonly sent: number;
  /** Reasons with their numbers, the most frequent first; equals in alphabetical order. */
  readonly reasons: readonly (readonly [string, number])[];
}

export function received({ counts }: { readonly counts: Omit<TelemetryStatus["counts"], "refused"> }): Received {
  const reasons = Object.entries(counts.dropped)
    .filter(([, number]) => number > 0)
    .toSorted(([a, x], [b, y]) => y - x || a.localeCompare(b, "en"));
  const dropped = reasons.reduce((sum, [, number]) => sum + number, 0);
  return { accepted: counts.accepted, dropped, sent: counts.accepted + dropped, reasons };
}

export function pending({ channels }: Pick<TelemetryStatus, "channels">): number {
  return channels.reduce((sum, channel) => sum + channel.pending, 0);
}
