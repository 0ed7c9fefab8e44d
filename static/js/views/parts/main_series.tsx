import { useMemo } from "preact/hooks";

import { BarList } from "../../charts/bars.tsx";
import type { Column } from "../../charts/csv.ts";
import { Figure } from "../../charts/figure.tsx";
import { count, day } from "../../charts/format.ts";
import { TimeSeries, type NamedLine } from "../../charts/timeseries.tsx";
import { addDays } from "../../charts/range.ts";
import { daysBetween } from "../../charts/ticks.ts";
import { recordedSince } from "./comparison.ts";
import type { ChangeQuery } from "./query_state.ts";
import type { InsightsOverview, Point } from "./shapes.ts";

type Metric = "users" | "teams" | "sessions" | "views";

const METRICS: readonly { readonly key: Metric; readonly label: string }[] = [
  { key: "users", label: "Users" },
  { key: "sessions", label: "Sessions" },
  { key: "views", label: "Views" },
  { key: "teams", label: "Teams" },
];

interface DayRow {
  readonly day: string;
  readonly value: number | null;
  readonly previous: number | null;
}

interface Props {
  readonly overview: InsightsOverview;
  readonly today: string;
  readonly query: URLSearchParams;
  readonly change: ChangeQuery;
}

/** One measure day by day against the previous period; the measure is part of the address. */
export function MainSeries({ overview, today, query, change }: Props) {
  const { series, range } = overview;
  const metric = METRICS.find(({ key }) => key === query.get("metric")) ?? METRICS[0]!;
  const rows = useMemo(() => dayRows(overview, metric.key), [overview, metric.key]);
  const compares = metric.key !== "teams";
  const { days, lines } = useMemo(() => drawing(rows, metric.label, compares), [rows, metric.label, compares]);
  return (
    <Figure
      title={series.label}
      definition={series.definition}
      file={`${metric.key}_${range.from}_${range.to}`}
      columns={columnsOf(metric.label, compares)}
      rows={rows}
      rowKey={(row) => row.day}
      note={range.to === today ? "Today is not over yet." : undefined}
      controls={<MetricSwitch metric={metric.key} change={change} />}
    >
      {rows.length > 1
        ? <TimeSeries label={`${metric.label} by day`} days={days} lines={lines} />
        : <OneDay label={metric.label} row={rows[0]} before={compares ? overview.previous.from : null} />}
    </Figure>
  );
}

/** A line needs two points; a single day is a pair of bars. */
function OneDay({ label, row, before }: { label: string; row: DayRow | undefined; before: string | null }) {
  if (!row) return null;
  const items = [{ label: day(row.day), value: row.value ?? 0 }];
  if (before) items.push({ label: day(before), value: row.previous ?? 0 });
  return <div class="day-pair"><BarList caption={`${label} of one day`} unit={["Day", label]} items={items} /></div>;
}

function MetricSwitch({ metric, change }: { metric: Metric; change: ChangeQuery }) {
  const choose = (key: Metric) => change({ metric: key === METRICS[0]!.key ? "" : key });
  return (
    <div class="segmented segmented-small" role="group" aria-label="Measure">
      {METRICS.map(({ key, label }) => (
        <button key={key} type="button" aria-pressed={key === metric} onClick={() => choose(key)}>{label}</button>
      ))}
    </div>
  );
}

function dayRows(overview: InsightsOverview, metric: Metric): DayRow[] {
  const { range, series } = overview;
  const byDay = new Map(series.points.map((point) => [point.day, point]));
  const since = recordedSince(overview);
  return daysBetween(range.from, range.to).map((each, index) => {
    const point = byDay.get(each);
    const recorded = since === null || addDays(overview.previous.from, index) >= since;
    return { day: each, value: point ? point[metric] : null, previous: point && recorded ? previousOf(point, metric) : null };
  });
}

function previousOf(point: Point, metric: Metric): number | null {
  return metric === "teams" ? null : point[`previous_${metric}`];
}

function drawing(rows: readonly DayRow[], label: string, compares: boolean): { days: string[]; lines: NamedLine[] } {
  const lines: NamedLine[] = [{ label, kind: "main", colour: "--chart-1", values: rows.map((row) => row.value) }];
  if (compares) {
    lines.unshift({ label: "Previous period", kind: "comparison", colour: "--chart-previous", values: rows.map((row) => row.previous) });
  }
  return { days: rows.map((row) => row.day), lines };
}

function columnsOf(label: string, compares: boolean): Column<DayRow>[] {
  const columns: Column<DayRow>[] = [
    { key: "day", label: "Day", raw: (row) => row.day, show: (row) => day(row.day) },
    { key: "value", label, align: "end", bar: true, raw: (row) => row.value, show: (row) => count(row.value) },
  ];
  if (compares) {
    columns.push({ key: "previous", label: "Previous period", align: "end", raw: (row) => row.previous, show: (row) => count(row.previous) });
  }
  return columns;
}
