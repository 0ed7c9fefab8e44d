/** Whether the previous period can be compared with at all. Pure. */

import { day, dayRange } from "../../charts/format.ts";
import { addDays } from "../../charts/range.ts";
import type { InsightsOverview } from "./shapes.ts";

type Recorded = Pick<InsightsOverview, "previous" | "series">;

/** The first day of the previous period on which anything was recorded; null when nothing was. */
export function firstRecorded({ previous, series }: Recorded): string | null {
  const first = series.points.findIndex((point) => (point.previous_views ?? 0) + (point.previous_users ?? 0) > 0);
  return first < 0 ? null : addDays(previous.from, first);
}

/**
 * The same where the recording had not begun with the period's first day, else null. Days before it are unknown, not
 * zero.
 */
export function recordedSince(overview: Recorded): string | null {
  const first = firstRecorded(overview);
  return first === overview.previous.from ? null : first;
}

export interface Comparison {
  /** Whether the period was recorded from its first day on; only then is a change good or bad. */
  readonly whole: boolean;
  /** The period in words, with what is missing of it. */
  readonly words: string;
}

/** What the days of a period mean for a comparison with it, given the first one that was recorded. */
export function comparison(previous: InsightsOverview["previous"], first: string | null): Comparison {
  const days = dayRange(previous.from, previous.to);
  if (first === null) return { whole: false, words: `${days}, of which nothing is recorded` };
  if (first > previous.from) return { whole: false, words: `${days}, of which nothing is recorded before ${day(first)}` };
  return { whole: true, words: days };
}
