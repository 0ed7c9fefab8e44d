/** Whether the previous period can be compared with at all. Pure. */

import { addDays } from "../../charts/range.ts";
import type { InsightsOverview } from "./shapes.ts";

/**
 * The first day of the previous period on which anything was recorded: null when that is its first day, or when
 * nothing was. Days before it are unknown, not zero: the recording had not begun.
 */
export function recordedSince({ previous, series }: Pick<InsightsOverview, "previous" | "series">): string | null {
  const first = series.points.findIndex((point) => (point.previous_views ?? 0) + (point.previous_users ?? 0) > 0);
  return first > 0 ? addDays(previous.from, first) : null;
}
