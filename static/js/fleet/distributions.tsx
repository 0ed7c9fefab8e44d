/** What the active installations are: one list of shares for each question. */

import { BarList } from "../charts/bars.tsx";
import type { Column } from "../charts/csv.ts";
import { Figure } from "../charts/figure.tsx";
import { count, day, percent } from "../charts/format.ts";
import { shareOf } from "./shaping.ts";
import type { Distribution, FleetNumbers, Share } from "./shapes.ts";

const SIZES = new Set(["users", "teams", "projects"]);
const MOST = 8;

export function Distributions({ numbers }: { numbers: FleetNumbers }) {
  const kinds = numbers.distributions.filter((each) => !SIZES.has(each.key));
  const sizes = numbers.distributions.filter((each) => SIZES.has(each.key));
  return (
    <>
      <h2 class="fleet-heading">What they run on</h2>
      <div class="fleet-grid">{kinds.map((each) => <One key={each.key} distribution={each} numbers={numbers} />)}</div>
      <h2 class="fleet-heading">How large they are</h2>
      <div class="fleet-grid">{sizes.map((each) => <One key={each.key} distribution={each} numbers={numbers} />)}</div>
    </>
  );
}

function One({ distribution, numbers }: { distribution: Distribution; numbers: FleetNumbers }) {
  const { key, label, values } = distribution;
  const columns: Column<Share>[] = [
    { key: "value", label, raw: (row) => row.value },
    { key: "n", label: "Installations", align: "end", bar: true, raw: (row) => row.n, show: (row) => count(row.n) },
    { key: "share", label: "Share", align: "end", raw: (row) => shareOf(row.n, distribution), show: (row) => percent(shareOf(row.n, distribution)) },
  ];
  return (
    <Figure
      title={label}
      definition={`${distribution.definition} On ${day(numbers.last_day)}: n = ${distribution.n === null ? `fewer than ${numbers.smallest ?? 10}` : count(distribution.n)}.`}
      file={`fleet_${key}_${numbers.last_day}`}
      columns={columns}
      rows={values}
      rowKey={(row) => row.value}
      note={distribution.hidden ? `${distribution.hidden} small ${distribution.hidden === 1 ? "value" : "values"} left out` : undefined}
    >
      {values.length > 0
        ? <BarList caption={label} unit={[label, "Installations"]} items={shown(values, SIZES.has(key)).map((each) => ({ label: each.value, value: each.n }))} />
        : <p class="figure-alone">Nothing to show.</p>}
    </Figure>
  );
}

/** Long lists end with the sum of the rest; the table has them all. A histogram is never cut. */
function shown(values: readonly Share[], whole: boolean): readonly Share[] {
  if (whole || values.length <= MOST + 1) return values;
  const rest = values.slice(MOST).reduce((sum, each) => sum + each.n, 0);
  return [...values.slice(0, MOST), { value: `${values.length - MOST} others`, n: rest }];
}
