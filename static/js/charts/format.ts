/**
 * How numbers, durations and times read. Pure; `null` is a dash, never a zero. Units are said once, with a narrow
 * no-break space before them, so that a value never breaks from its unit.
 */

export const DASH = "–";
const NARROW = "\u202f";
const MINUS = "−";

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

type Maybe<T> = T | null | undefined;

function known(value: Maybe<number>): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** 12480 -> "12,480". */
export function count(value: Maybe<number>): string {
  if (!known(value)) return DASH;
  return whole.format(value).replace("-", MINUS);
}

/** 1234 -> "1.2 k": only where space demands (axes, small bars). */
export function compact(value: Maybe<number>): string {
  if (!known(value)) return DASH;
  const size = Math.abs(value);
  for (const [step, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    // 999 950 would round to "1000 k"; the larger unit is taken as soon as rounding reaches it.
    if (size >= step * 0.9995) return `${oneDecimal(value / step)}${NARROW}${unit}`;
  }
  return count(value);
}

/** Milliseconds in the two largest units that matter: "850 ms", "3.2 s", "4 m 12 s", "1 h 04 m", "2 d 3 h". */
export function duration(milliseconds: Maybe<number>): string {
  if (!known(milliseconds)) return DASH;
  if (milliseconds < 0) return MINUS + duration(-milliseconds);
  if (Math.round(milliseconds) < 1000) return unit(Math.round(milliseconds), "ms");
  if (milliseconds < 9950) return `${oneDecimal(milliseconds / 1000)}${NARROW}s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return unit(seconds, "s");
  if (seconds < 3600) return `${unit(Math.floor(seconds / 60), "m")} ${unit(pad(seconds % 60), "s")}`;
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 1440) return `${unit(Math.floor(minutes / 60), "h")} ${unit(pad(minutes % 60), "m")}`;
  const hours = Math.round(milliseconds / 3_600_000);
  return `${unit(whole.format(Math.floor(hours / 24)), "d")} ${unit(hours % 24, "h")}`;
}

/** 0.4213 -> "42 %"; below ten per cent one decimal. */
export function percent(ratio: Maybe<number>): string {
  if (!known(ratio)) return DASH;
  const value = ratio * 100;
  // A few among many are still no "0 %".
  if (value > 0 && value < 0.05) return `<0.1${NARROW}%`;
  const text = Math.abs(value) < 9.95 && value !== 0 ? oneDecimal(value) : whole.format(value);
  return `${text.replace("-", MINUS)}${NARROW}%`;
}

export interface Change {
  readonly direction: "up" | "down" | "same" | "unknown";
  /** "+12 %", "−3.1 %", "×12" from tenfold on, "no change", "new", or a dash when nothing can be compared. */
  readonly text: string;
}

/** How `value` stands against `previous`, relative to `previous`. */
export function change(value: Maybe<number>, previous: Maybe<number>): Change {
  if (!known(value) || !known(previous)) return { direction: "unknown", text: DASH };
  if (value === previous) return { direction: "same", text: "no change" };
  if (previous === 0) return { direction: "up", text: "new" };
  const ratio = (value - previous) / previous;
  if (ratio >= 9) return { direction: "up", text: `×${count(value / previous)}` };
  if (ratio > 0) return { direction: "up", text: `+${percent(ratio)}` };
  return { direction: "down", text: percent(ratio) };
}

/** A value in the unit the API names. */
export function measure(value: Maybe<number>, unitName: "count" | "ms"): string {
  return unitName === "ms" ? duration(value) : count(value);
}

/** "2026-11-23" -> "Mon 23 Nov" (a UTC day stays that day wherever the reader sits). */
export function day(isoDay: string): string {
  return formatDay(isoDay, { weekday: "short", day: "numeric", month: "short" });
}

/** "2026-11-23" -> "23 Nov", for axes. */
export function shortDay(isoDay: string): string {
  return formatDay(isoDay, { day: "numeric", month: "short" });
}

/** "27 Oct – 23 Nov 2026"; one day is said once; the year twice only when it changes. */
export function dayRange(from: string, to: string): string {
  const end = `${shortDay(to)} ${to.slice(0, 4)}`;
  if (from === to) return end;
  const start = from.slice(0, 4) === to.slice(0, 4) ? shortDay(from) : `${shortDay(from)} ${from.slice(0, 4)}`;
  return `${start} – ${end}`;
}

/** An instant on the reader's own clock: "14:03:21". */
export function clockTime(iso: Maybe<string>): string {
  const date = instant(iso);
  return date ? date.toLocaleTimeString("en-GB", { hour12: false }) : DASH;
}

/** "23 Nov 2026" on the reader's own calendar. */
function date(iso: Maybe<string>): string {
  const value = instant(iso);
  return value ? value.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" }) : DASH;
}

/** "just now", "12 s ago", "5 min ago", "3 h ago", "4 days ago", then the date. `now` in milliseconds. */
export function ago(iso: Maybe<string>, now: number): string {
  const then = instant(iso);
  if (!then) return DASH;
  const seconds = Math.round((now - then.getTime()) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds}${NARROW}s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}${NARROW}min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}${NARROW}h ago`;
  const days = Math.floor(seconds / 86_400);
  if (days <= 30) return days === 1 ? "1 day ago" : `${days} days ago`;
  return date(iso);
}

/** "1 member", "3 members". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

function instant(iso: Maybe<string>): Date | null {
  if (!iso) return null;
  const value = new Date(iso);
  return Number.isNaN(value.getTime()) ? null : value;
}

function formatDay(isoDay: string, options: Intl.DateTimeFormatOptions): string {
  const value = instant(`${isoDay}T00:00:00Z`);
  if (!value) return DASH;
  return value.toLocaleDateString("en-GB", { ...options, timeZone: "UTC" }).replace(",", "");
}

function oneDecimal(value: number): string {
  return (Math.round(value * 10) / 10).toFixed(1).replace(/\.0$/, "").replace("-", MINUS);
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

function unit(value: number | string, name: string): string {
  return `${value}${NARROW}${name}`;
}
