/**
 * The date range of a dashboard: inclusive UTC days, kept in the address as `from` and `to`. Pure: `today` is given.
 */

export interface Range {
  readonly from: string;
  readonly to: string;
}

export type Preset = "d" | "w" | "m" | "q";

/** Presets end today; whole weeks, so that each compares with the same weekdays. */
export const PRESETS: readonly { readonly key: Preset; readonly label: string; readonly days: number }[] = [
  { key: "d", label: "Today", days: 1 },
  { key: "w", label: "7 days", days: 7 },
  { key: "m", label: "28 days", days: 28 },
  { key: "q", label: "12 weeks", days: 84 },
];

const DEFAULT_DAYS = 28;
/** The server answers no more: two years. */
const MOST_DAYS = 731;
/** Nor any before it. */
const EARLIEST = "2000-01-01";
const DAY_MS = 86_400_000;

/** The UTC day of an instant in milliseconds. */
export function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10);
}

/** A real day of the calendar, written `YYYY-MM-DD`. */
export function isDay(text: string | null | undefined): text is string {
  if (!text || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const value = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(value.getTime()) && value.toISOString().slice(0, 10) === text;
}

export function addDays(day: string, days: number): string {
  return dayOf(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS);
}

/** Days in the range, both ends included. */
export function daysIn(range: Range): number {
  return Math.round((Date.parse(range.to) - Date.parse(range.from)) / DAY_MS) + 1;
}

export function presetRange(preset: Preset, today: string): Range {
  const days = PRESETS.find((entry) => entry.key === preset)?.days ?? DEFAULT_DAYS;
  return { from: addDays(today, 1 - days), to: today };
}

export interface Asked {
  readonly range: Range;
  /** Why the last 28 days are shown instead of what the address asks for. */
  readonly problem: string | null;
}

/** The range an address asks for; an end it does not name is filled in as the server does. */
export function rangeFrom(query: { get(name: string): string | null }, today: string): Asked {
  const [first, last] = [query.get("from") || null, query.get("to") || null];
  const usual = presetRange("m", today);
  if (first === null && last === null) return { range: usual, problem: null };
  const to = last ?? lastDayFrom(first, today);
  const from = first ?? (isDay(to) ? addDays(to, 1 - DEFAULT_DAYS) : to);
  const problem = rangeProblem(from, to, today);
  return problem === null ? { range: { from, to }, problem } : { range: usual, problem };
}

/** As far as can be shown, and not beyond today unless the first day is. */
function lastDayFrom(first: string | null, today: string): string {
  if (!isDay(first)) return today;
  const most = addDays(first, MOST_DAYS - 1);
  return [first, most < today ? most : today].sort()[1]!;
}

/** The preset a range is, if it is one. */
export function presetOf(range: Range, today: string): Preset | null {
  if (range.to !== today) return null;
  return PRESETS.find((entry) => entry.days === daysIn(range))?.key ?? null;
}

/** The neighbouring range of the same length; never beyond today. */
export function shift(range: Range, direction: -1 | 1, today: string): Range {
  const days = daysIn(range);
  const to = addDays(range.to, direction * days);
  if (to > today) return { from: addDays(today, 1 - days), to: today };
  return { from: addDays(range.from, direction * days), to };
}

/** Why `from` and `to` cannot be shown, or null. */
export function rangeProblem(from: string, to: string, today: string): string | null {
  if (!from || !to) return "Give both days.";
  if (!isDay(from) || !isDay(to)) return "A day is written like 2026-11-23.";
  if (from < EARLIEST) return "Days before 2000 cannot be shown.";
  if (from > to) return "The first day lies after the last.";
  if (to > today) return "The last day lies in the future.";
  if (daysIn({ from, to }) > MOST_DAYS) return "At most two years can be shown.";
  return null;
}

/** The query string of a range; the default range needs none. */
export function rangeQuery(range: Range, today: string): string {
  return presetOf(range, today) === "m" ? "" : `?from=${range.from}&to=${range.to}`;
}
