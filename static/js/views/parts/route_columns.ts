/** The table of routes: its columns (also those of the CSV), its order and its filter. Pure. */

import type { Column } from "../../charts/csv.ts";
import { change, count, duration, percent } from "../../charts/format.ts";
import { sortBy, type Sorting } from "../../charts/sort.ts";
import type { RouteRow } from "./shapes.ts";

export const ROUTE_COLUMNS: readonly Column<RouteRow>[] = [
  { key: "title", label: "Page", raw: (row) => row.title },
  { key: "views", label: "Views", align: "end", bar: true, raw: (row) => row.views, show: (row) => count(row.views) },
  {
    key: "change", label: "Change", align: "end", help: "Views against the previous period",
    raw: (row) => (row.previous_views ? (row.views - row.previous_views) / row.previous_views : null),
    show: (row) => change(row.views, row.previous_views).text,
  },
  { key: "users", label: "Users", align: "end", raw: (row) => row.users, show: (row) => count(row.users) },
  { key: "teams", label: "Teams", align: "end", raw: (row) => row.teams, show: (row) => count(row.teams) },
  {
    key: "median", label: "Engaged, median", unit: "ms", align: "end", help: "Half of the views had more engaged time, half less",
    raw: (row) => row.engaged_median_ms, show: (row) => duration(row.engaged_median_ms),
  },
  {
    key: "p75", label: "Engaged, p75", unit: "ms", align: "end", help: "A quarter of the views had more engaged time",
    raw: (row) => row.engaged_p75_ms, show: (row) => duration(row.engaged_p75_ms),
  },
  {
    key: "entry", label: "Entry", align: "end", help: "Share of the sessions that begin here",
    raw: (row) => row.entry_ratio, show: (row) => percent(row.entry_ratio),
  },
  {
    key: "exit", label: "Exit", align: "end", help: "Share of the sessions that end here",
    raw: (row) => row.exit_ratio, show: (row) => percent(row.exit_ratio),
  },
  {
    key: "load", label: "Load, p75", unit: "ms", align: "end", help: "Three quarters of the views were there faster",
    raw: (row) => row.load_p75_ms, show: (row) => duration(row.load_p75_ms),
  },
];

const FIRST: Sorting<string> = { key: "views", direction: "descending" };

/** The order an address asks for; by views, the most first, when it asks for nothing that exists. */
export function sortingFrom(query: { get(name: string): string | null }): Sorting<string> {
  const key = query.get("sort");
  if (!ROUTE_COLUMNS.some((column) => column.key === key) || key === null) return FIRST;
  return { key, direction: query.get("order") === "up" ? "ascending" : "descending" };
}

/** The rows as they may be compared: against days of which some were never recorded, a change would say nothing. */
export function comparable(rows: readonly RouteRow[], whole: boolean): readonly RouteRow[] {
  return whole ? rows : rows.map((row) => ({ ...row, previous_views: null }));
}

/** The rows that hold `wanted` in title or name, in order; equals by title. */
export function arrange(rows: readonly RouteRow[], sorting: Sorting<string>, wanted: string): RouteRow[] {
  const text = wanted.trim().toLowerCase();
  const found = rows.filter((row) => `${row.title} ${row.route}`.toLowerCase().includes(text));
  const column = ROUTE_COLUMNS.find(({ key }) => key === sorting.key) ?? ROUTE_COLUMNS[0]!;
  return sortBy(sortBy(found, (row) => row.title, "ascending"), column.raw, sorting.direction);
}
