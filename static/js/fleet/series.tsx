/** Installations by day and by week. */

import { useMemo, useState } from "preact/hooks";

import { Columns } from "../charts/bars.tsx";
import type { Column } from "../charts/csv.ts";
import { Figure } from "../charts/figure.tsx";
import { count, day, shortDay } from "../charts/format.ts";
import { TimeSeries, type NamedLine } from "../charts/timeseries.tsx";
import { Few } from "./few.tsx";
import { dayRows, weekRows, type DayRow } from "./shaping.ts";
import type { FleetNumbers, WeekPoint } from "./shapes.ts";

type Measure = "active" | "new";
const MEASURES: readonly (readonly [Measure, string])[] = [["active", "Active"], ["new", "New"]];

function Switch({ measure, choose }: { measure: Measure; choose: (measure: Measure) => void }) {
  return (
    <div class="segmented segmented-small" role="group" aria-label="Measure">
      {MEASURES.map(([key, label]) => (
        <button key={key} type="button" aria-pressed={key === measure} onClick={() => choose(key)}>{label}</button>
      ))}
    </div>
  );
}

export function ByDay({ numbers }: { numbers: FleetNumbers }) {
  const [measure, choose] = useState<Measure>("active");
  const rows = useMemo(() => dayRows(numbers), [numbers]);
  const days = useMemo(() => rows.map((row) => row.day), [rows]);
  const lines = useMemo<NamedLine[]>(() => {
    const label = measure === "active" ? "Active" : "New";
    return [{ label, kind: "main", colour: "--chart-1", values: rows.map((row) => row[measure]) }];
  }, [rows, measure]);
  const shown = (value: number | null) => (value === null ? fewer(numbers) : count(value));
  const columns: Column<DayRow>[] = [
    { key: "day", label: "Day", raw: (row) => row.day, show: (row) => day(row.day) },
    { key: "active", label: "Active", align: "end", bar: true, raw: (row) => row.active, show: (row) => shown(row.active) },
    { key: "new", label: "New", align: "end", raw: (row) => row.new, show: (row) => shown(row.new) },
  ];
  return (
    <Figure
      title="Installations by day"
      definition={numbers.series.definition}
      file={`fleet_days_${numbers.last_day}`}
      columns={columns}
      rows={rows}
      rowKey={(row) => row.day}
      controls={<Switch measure={measure} choose={choose} />}
      note={numbers.complete.day ? undefined : "Today is not over yet."}
    >
      {rows.length > 1
        ? <TimeSeries label={`${measure === "active" ? "Active" : "New"} installations by day`} days={days} lines={lines} />
        : <p class="figure-alone">{rows[0] ? <>{day(rows[0].day)}: <Few value={rows[0][measure]} smallest={numbers.smallest} /> {measure}</> : "No day yet."}</p>}
    </Figure>
  );
}

export function ByWeek({ numbers }: { numbers: FleetNumbers }) {
  const [measure, choose] = useState<Measure>("active");
  const rows = useMemo(() => weekRows(numbers), [numbers]);
  const shown = (value: number | null) => (value === null ? fewer(numbers) : count(value));
  const columns: Column<WeekPoint>[] = [
    { key: "week", label: "Week from", raw: (row) => row.week, show: (row) => day(row.week) },
    { key: "active", label: "Active", align: "end", bar: true, raw: (row) => row.active, show: (row) => shown(row.active) },
    { key: "new", label: "New", align: "end", raw: (row) => row.new, show: (row) => shown(row.new) },
  ];
  const middle = rows[Math.floor((rows.length - 1) / 2)];
  return (
    <Figure
      title="Installations by week"
      definition={numbers.weeks.definition}
      file={`fleet_weeks_${numbers.last_week}`}
      columns={columns}
      rows={rows}
      rowKey={(row) => row.week}
      controls={<Switch measure={measure} choose={choose} />}
      note={numbers.complete.week ? undefined : "This week is not over yet."}
    >
      <Columns
        label={`${measure === "active" ? "Active" : "New"} installations by week`}
        columns={rows.map((row) => ({ key: row.week, value: row[measure] ?? 0, title: `Week from ${day(row.week)}: ${shown(row[measure])}` }))}
        ends={[ends(rows[0]), rows.length > 2 ? ends(middle) : "", rows.length > 1 ? ends(rows.at(-1)) : " "]}
      />
    </Figure>
  );
}

function ends(row: WeekPoint | undefined): string {
  return row ? shortDay(row.week) : "";
}

function fewer(numbers: FleetNumbers): string {
  return `fewer than ${numbers.smallest ?? 10}`;
}
