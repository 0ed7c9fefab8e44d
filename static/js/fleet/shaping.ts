/** The collector's points as charts want them. Pure. */

import { addDays } from "../charts/range.ts";
import { daysBetween } from "../charts/ticks.ts";
import type { AdoptionPoint, BundleAnswer, Distribution, FleetNumbers, WeekPoint } from "./shapes.ts";

export interface DayRow {
  readonly day: string;
  readonly active: number | null;
  readonly new: number | null;
}

/** Every complete day from the first one on; a day without a ping is a zero, not a gap. */
export function dayRows(numbers: FleetNumbers): DayRow[] {
  const points = new Map(numbers.series.points.map((point) => [point.day, point]));
  const first = numbers.series.points[0]?.day;
  if (first === undefined) return [];
  return daysBetween(first, numbers.last_day).map((day) => {
    const point = points.get(day);
    return { day, active: point ? point.active : 0, new: point ? point.new : 0 };
  });
}

/** Every complete week from the first whole one on. */
export function weekRows(numbers: FleetNumbers): WeekPoint[] {
  const points = new Map(numbers.weeks.points.map((point) => [point.week, point]));
  const first = numbers.weeks.points[0]?.week;
  if (first === undefined) return [];
  const rows: WeekPoint[] = [];
  for (let week = first; week <= numbers.last_week; week = addDays(week, 7)) {
    rows.push(points.get(week) ?? { week, active: 0, new: 0 });
  }
  return rows;
}

export interface Band {
  readonly version: string;
  /** Installations on each of `days`. */
  readonly values: readonly number[];
}

export interface Bands {
  readonly days: readonly string[];
  readonly bands: readonly Band[];
}

/** Versions day by day, the oldest first, so that the newest lies on top; what has no version of its own comes first. */
export function adoptionBands(points: readonly AdoptionPoint[], from: string, to: string): Bands {
  const days = daysBetween(from, to);
  const at = new Map(days.map((day, index) => [day, index]));
  const bands = new Map<string, number[]>();
  for (const point of points) {
    const index = at.get(point.day);
    if (index === undefined) continue;
    const values = bands.get(point.version) ?? days.map(() => 0);
    values[index] = point.n;
    bands.set(point.version, values);
  }
  const order = [...bands.keys()].sort(compareVersions);
  return { days, bands: order.map((version) => ({ version, values: bands.get(version) ?? [] })) };
}

/** 0.9.0 before 0.10.0, a candidate before its release, "others" before all. */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  if (a === "others") return -1;
  if (b === "others") return 1;
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < Math.max(left.numbers.length, right.numbers.length); index += 1) {
    const difference = (left.numbers[index] ?? 0) - (right.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  if (left.rest === right.rest) return 0;
  if (left.rest === "") return 1;
  return right.rest === "" ? -1 : left.rest.localeCompare(right.rest);
}

function parts(version: string): { numbers: number[]; rest: string } {
  const [main = "", ...rest] = version.replace(/^v/, "").split("-");
  return { numbers: main.split(".").map((part) => Number.parseInt(part, 10) || 0), rest: rest.join("-") };
}

/** Lower and upper edge of each band on each day; with `share` the day's sum is 1. */
export function stack(bands: readonly Band[], share: boolean): { low: number; high: number }[][] {
  const days = bands[0]?.values.length ?? 0;
  const sums = Array.from({ length: days }, (_, day) => bands.reduce((sum, band) => sum + (band.values[day] ?? 0), 0));
  const reached = Array.from({ length: days }, () => 0);
  return bands.map((band) =>
    band.values.map((value, day) => {
      const low = reached[day] ?? 0;
      const unit = share ? sums[day] || 1 : 1;
      const high = low + value / unit;
      reached[day] = high;
      return { low, high };
    }),
  );
}

/** The share of a value among those that can be seen. */
export function shareOf(n: number, distribution: Distribution): number | null {
  return distribution.n ? n / distribution.n : null;
}

/** What became of a bundle, in a sentence. */
export function bundleSentence(answers: readonly BundleAnswer[]): { tone: "success" | "warning" | "danger"; text: string } {
  const taken = answers.filter((answer) => answer.status === 202).length;
  const known = answers.filter((answer) => answer.status === 200).length;
  const refused = answers.filter((answer) => answer.status >= 300);
  const said = [
    taken > 0 && `${taken} taken`,
    known > 0 && `${known} known already`,
    refused.length > 0 && `${refused.length} refused (${refused[0]?.error ?? "no reason given"})`,
  ].filter((part) => typeof part === "string");
  const tone = refused.length === 0 ? "success" : taken + known > 0 ? "warning" : "danger";
  return { tone, text: `${answers.length === 1 ? "One ping" : `${answers.length} pings`}: ${said.join(", ")}.` };
}
