/** What the collector counts of its own work: pings taken, repeated, refused, and names nobody asked for. */

import { BarList } from "../charts/bars.tsx";
import type { Column } from "../charts/csv.ts";
import { Figure } from "../charts/figure.tsx";
import { count } from "../charts/format.ts";
import type { Counters } from "./shapes.ts";

const REASONS: Readonly<Record<string, string>> = {
  too_large: "Too large",
  encoding: "Packed in a way that cannot be read",
  charset: "Not UTF-8",
  invalid: "Not a valid ping",
  rate: "Too many from one sender",
  overloaded: "Too many at once",
  unavailable: "Could not be kept",
};

interface Row {
  readonly name: string;
  readonly n: number;
}

export function Received({ counters }: { counters: Counters }) {
  const received = [
    { name: "Taken", n: counters.taken },
    { name: "Repeats, counted once", n: counters.repeated },
    ...rows(counters.refused).map((row) => ({ name: `Refused: ${REASONS[row.name] ?? row.name}`, n: row.n })),
  ];
  const unknown = rows(counters.unknown_fields);
  return (
    <>
      <h2 class="fleet-heading">What was received</h2>
      <div class="fleet-grid fleet-received">
        <Counts
          title="Pings"
          definition="Every ping that has come since this collector was set up, and what became of it. Refused ones leave nothing but this count."
          file="fleet_received"
          first="What became of it"
          rows={received}
        />
        <Counts
          title="Unknown fields"
          definition="Names in pings that the list of fields does not have. Only the name is counted; the value is never stored."
          file="fleet_unknown_fields"
          first="Name"
          rows={unknown}
          none="Every ping held to the list of fields."
        />
      </div>
    </>
  );
}

interface CountsProps {
  readonly title: string;
  readonly definition: string;
  readonly file: string;
  readonly first: string;
  readonly rows: readonly Row[];
  readonly none?: string;
}

function Counts({ title, definition, file, first, rows: items, none }: CountsProps) {
  const columns: Column<Row>[] = [
    { key: "name", label: first, raw: (row) => row.name },
    { key: "n", label: "Pings", align: "end", bar: true, raw: (row) => row.n, show: (row) => count(row.n) },
  ];
  return (
    <Figure title={title} definition={definition} file={file} columns={columns} rows={items} rowKey={(row) => row.name}>
      {items.length > 0
        ? <BarList caption={title} unit={[first, "Pings"]} items={items.slice(0, 12).map((row) => ({ label: row.name, value: row.n }))} />
        : <p class="figure-alone">{none}</p>}
    </Figure>
  );
}

function rows(counted: Readonly<Record<string, number>>): Row[] {
  return Object.entries(counted)
    .map(([name, n]) => ({ name, n }))
    .sort((a, b) => b.n - a.n || a.name.localeCompare(b.name));
}
