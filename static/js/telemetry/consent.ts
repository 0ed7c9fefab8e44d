// May this page record anything? Pure; the only part of telemetry that always runs.

import type { Boot } from "../boot.ts";

/**
 * `off`: no channel is configured. `setup`: nobody has been asked yet. `opted_out`: the account's choice.
 * `gpc`, `dnt`: the browser's wish, where it is honoured. `elsewhere`: another tab has signed somebody else in or out.
 */
export type Refusal = "off" | "setup" | "opted_out" | "gpc" | "dnt" | "elsewhere";

/** What a browser says of its user's wishes. */
export interface Signals {
  readonly globalPrivacyControl?: boolean | undefined;
  readonly doNotTrack?: string | null | undefined;
}

/** What the page has learned since it was loaded. */
export interface Learned {
  /** The latest choice of the account signed in last, whatever the facts of this page say; it outlives a logout. */
  readonly optedOut?: boolean;
  readonly elsewhere?: boolean;
}

/** Why nothing may be recorded; null when it may. */
export function refusal(boot: Boot, signals: Signals, learned: Learned = {}): Refusal | null {
  const { posthog, plausible, respect } = boot.telemetry;
  if (!posthog && !plausible) return "off";
  if (!boot.setup.finished) return "setup";
  if (learned.optedOut ?? boot.user?.telemetry_opt_out) return "opted_out";
  if (respect.gpc && signals.globalPrivacyControl === true) return "gpc";
  if (respect.dnt && (signals.doNotTrack === "1" || signals.doNotTrack === "yes")) return "dnt";
  return learned.elsewhere ? "elsewhere" : null;
}

export function mayRun(boot: Boot, signals: Signals): boolean {
  return refusal(boot, signals) === null;
}
