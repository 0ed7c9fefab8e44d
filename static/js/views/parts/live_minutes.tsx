import { Columns } from "../../charts/bars.tsx";
import type { Column } from "../../charts/csv.ts";
import { Figure } from "../../charts/figure.tsx";
import { clockTime, count, plural } from "../../charts/format.ts";
import type { InsightsLive } from "./shapes.ts";

type Minute = InsightsLive["minutes"][number];

const COLUMNS: readonly Column<Minute>[] = [
  { key: "minute", label: "Minute", raw: (row) => row.minute, show: (row) => hourMinute(row.minute) },
  { key: "views", label: "Views", align: "end", bar: true, raw: (row) => row.views, show: (row) => count(row.views) },
  { key: "users", label: "Users", align: "end", raw: (row) => row.users, show: (row) => count(row.users) },
];

/** Views in each of the last thirty minutes. */
export function LiveMinutes({ minutes }: { minutes: readonly Minute[] }) {
  const views = minutes.reduce((sum, minute) => sum + minute.views, 0);
  return (
    <Figure
      title="Views by minute"
      definition="Pages entered, by the minute in which they were entered on the visitor's side. The last column is the minute that is running."
      file="live_minutes"
      columns={COLUMNS}
      rows={minutes}
      rowKey={(row) => row.minute}
    >
      <Columns
        label={`Views in each of the last ${minutes.length} minutes, ${plural(views, "view")} in all`}
        columns={minutes.map((minute) => ({
          key: minute.minute,
          value: minute.views,
          title: `${hourMinute(minute.minute)}: ${plural(minute.views, "view")}, ${plural(minute.users, "user")}`,
        }))}
        ends={["30 minutes ago", "15", "now"]}
      />
    </Figure>
  );
}

function hourMinute(iso: string): string {
  return clockTime(iso).slice(0, 5);
}
