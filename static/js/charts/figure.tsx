/**
 * The frame of every chart: title, how it is counted, a switch between picture and table, and a file of exactly the
 * rows and columns that are shown.
 */

import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";

import { download, toCsv, type Column } from "./csv.ts";
import { DataTable } from "./table.tsx";

interface Props<Row> {
  readonly title: string;
  readonly definition: string;
  /** Name of the file without its ending, `overview_users`. */
  readonly file: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** Controls that choose what the chart shows. */
  readonly controls?: ComponentChildren;
  /** A reservation about what is shown. */
  readonly note?: string | undefined;
  readonly children: ComponentChildren;
}

export function Figure<Row>(props: Props<Row>) {
  const [shown, setShown] = useState<"chart" | "table">("chart");
  const heading = useId();
  return (
    <section class="figure" aria-labelledby={heading}>
      <header class="figure-head">
        <h2 id={heading}>{props.title}</h2>
        {props.controls}
        <div class="figure-tools">
          <button
            type="button"
            class="button button-quiet button-small"
            aria-pressed={shown === "table"}
            onClick={() => setShown(shown === "table" ? "chart" : "table")}
          >
            Table
          </button>
          <CsvButton file={props.file} columns={props.columns} rows={props.rows} />
        </div>
      </header>
      {shown === "chart" ? props.children : (
        <DataTable caption={props.title} columns={props.columns} rows={props.rows} rowKey={props.rowKey} />
      )}
      <footer class="figure-foot">
        <Definition text={props.definition} />
        {props.note && <p class="figure-note">{props.note}</p>}
      </footer>
    </section>
  );
}

export function CsvButton<Row>({ file, columns, rows }: { file: string; columns: readonly Column<Row>[]; rows: readonly Row[] }) {
  return (
    <button
      type="button"
      class="button button-quiet button-small"
      onClick={() => download(`${file}.csv`, toCsv(columns, rows))}
    >
      CSV<span class="visually-hidden"> file of {file.replaceAll("_", " ")}</span>
    </button>
  );
}

export function Definition({ text, lead }: { text: string; lead?: string }) {
  return (
    <details class="definition">
      <summary>{lead && <span class="definition-lead">{lead}</span>}<span class="definition-ask">How it is counted</span></summary>
      <p>{text}</p>
    </details>
  );
}
