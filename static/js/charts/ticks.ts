/** Where the day axis of a chart carries a label. Pure. */

import { addDays } from "./range.ts";

const STEPS = [1, 2, 7, 14, 28, 56, 84] as const;
const LABEL_WIDTH = 80;

/**
 * Indices into `days` that get a label: as many as fit `width` pixels, on Mondays once a label stands for a week,
 * so that the weeks of a chart can be read off its axis.
 */
export function dayTicks(days: readonly string[], width: number): number[] {
  const fitting = Math.max(1, Math.floor(width / LABEL_WIDTH));
  const step = STEPS.find((candidate) => Math.ceil(days.length / candidate) <= fitting) ?? 364;
  const start = step >= 7 ? firstMonday(days) : (days.length - 1) % step;
  const ticks: number[] = [];
  for (let index = start; index < days.length; index += step) ticks.push(index);
  return ticks.length > 0 ? ticks : [0];
}

/** The days from `from` to `to`, both included. */
export function daysBetween(from: string, to: string): string[] {
  const days: string[] = [];
  for (let current = from; current <= to; current = addDays(current, 1)) days.push(current);
  return days;
}

/** Round numbers from zero to at least `highest`, at most about `wanted` of them; whole numbers only. */
export function valueTicks(highest: number, wanted: number): number[] {
  if (highest <= 0) return [0, 1];
  const rough = Math.max(1, highest / Math.max(1, wanted));
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * magnitude).find((candidate) => candidate >= rough) ?? magnitude * 10;
  const ticks: number[] = [];
  for (let tick = 0; tick < highest + step; tick += step) ticks.push(tick);
  return ticks;
}

function firstMonday(days: readonly string[]): number {
  const index = days.findIndex((day) => new Date(`${day}T00:00:00Z`).getUTCDay() === 1);
  return index < 0 ? 0 : index;
}
