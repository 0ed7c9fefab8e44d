/** How long upgrades take: from a version's first appearance anywhere to the half and to nine tenths of its upgrades. */

import type { Column } from "../charts/csv.ts";
import { Figure } from "../charts/figure.tsx";
import { count, day, DASH } from "../charts/format.ts";
import type { FleetNumbers, LagRow } from "./shapes.ts";

const COLUMNS: Column<LagRow>[] = [
  { key: "version", label: "Version", raw: (row) => row.version },
  { key: "first_heard", label: "First heard of", raw: (row) => row.first_heard, show: (row) => (row.first_heard ? day(row.first_heard) : DASH) },
  { key: "n", label: "Upgrades", align: "end", raw: (row) => row.n, show: (row) => count(row.n) },
  { key: "p50", label: "Half within", unit: "days", align: "end", raw: (row) => row.p50_days, show: (row) => days(row.p50_days) },
  { key: "p90", label: "Nine tenths within", unit: "days", align: "end", raw: (row) => row.p90_days, show: (row) => days(row.p90_days) },
];

export function UpgradeLag({ numbers }: { numbers: FleetNumbers }) {
  const { lag } = numbers;
  const longest = Math.max(1, ...lag.versions.map((row) => row.p90_days ?? 0));
  const n = lag.n === null ? `fewer than ${numbers.smallest ?? 10}` : count(lag.n);
  return (
    <Figure
      title="How long upgrades take"
      definition={`${lag.definition} n = ${n} upgrades.`}
      file={`fleet_upgrades_${numbers.last_day}`}
      columns={COLUMNS}
      rows={lag.versions}
      rowKey={(row) => row.version}
    >
      {lag.versions.length > 0 ? (
        <table class="barlist lag">
          <caption class="visually-hidden">Days from a version's first appearance to an upgrade to it</caption>
          <thead>
            <tr><th scope="col">To</th><th scope="col"><span class="visually-hidden">Drawn</span></th><th scope="col" class="num">Half within</th><th scope="col" class="num">Nine tenths</th></tr>
          </thead>
          <tbody>
            {lag.versions.map((row) => (
              <tr key={row.version}>
                <th scope="row">{row.version}</th>
                <td class="barlist-bar"><Range half={row.p50_days} most={row.p90_days} longest={longest} /></td>
                <td class="num">{days(row.p50_days)}</td>
                <td class="num">{days(row.p90_days)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr><th scope="row">All</th><td class="barlist-bar" /><td class="num">{days(lag.p50_days)}</td><td class="num">{days(lag.p90_days)}</td></tr>
          </tfoot>
        </table>
      ) : <p class="figure-alone">No installation has been seen to upgrade yet.</p>}
    </Figure>
  );
}

function Range({ half, most, longest }: { half: number | null; most: number | null; longest: number }) {
  const width = (value: number | null) => Math.max(1, ((value ?? 0) / longest) * 100);
  return (
    <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="bar-track" width="100" height="6" />
      <rect class="lag-most" width={width(most)} height="6" />
      <rect class="bar-value" width={width(half)} height="6" />
    </svg>
  );
}

function days(value: number | null): string {
  if (value === null) return DASH;
  return value === 1 ? "1 day" : `${count(value)} days`;
}
