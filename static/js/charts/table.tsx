/**
 * A table of measured values. Its columns are also those of the CSV, so that the file holds exactly what is shown;
 * whoever owns the rows also owns their order.
 */

import { Icon } from "../components/icon.tsx";
import { Bar } from "./bars.tsx";
import type { Column } from "./csv.ts";
import { nextSorting, type Sorting } from "./sort.ts";

interface Props<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly sorting?: Sorting<string>;
  readonly onSort?: (sorting: Sorting<string>) => void;
}

export function DataTable<Row>({ caption, columns, rows, rowKey, sorting, onSort }: Props<Row>) {
  const highest = new Map(columns.filter((column) => column.bar).map((column) => [column, highestOf(column, rows)]));
  return (
    <div class="table-wrap" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => <Heading key={column.key} column={column} sorting={sorting} onSort={onSort} />)}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column, index) => {
                const Cell = index === 0 ? "th" : "td";
                return (
                  <Cell key={column.key} scope={index === 0 ? "row" : undefined} class={column.align}>
                    {column.show?.(row) ?? column.raw(row)}
                    {column.bar && <Bar value={Number(column.raw(row) ?? 0)} highest={highest.get(column) ?? 0} />}
                  </Cell>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface HeadingProps<Row> {
  readonly column: Column<Row>;
  readonly sorting: Sorting<string> | undefined;
  readonly onSort: ((sorting: Sorting<string>) => void) | undefined;
}

function Heading<Row>({ column, sorting, onSort }: HeadingProps<Row>) {
  if (!sorting || !onSort) return <th scope="col" class={column.align} title={column.help}>{column.label}</th>;
  const active = sorting.key === column.key;
  return (
    <th scope="col" class={column.align} title={column.help} aria-sort={active ? sorting.direction : undefined}>
      <button
        type="button"
        class="sort"
        onClick={() => onSort(nextSorting(sorting, column.key, column.align === "end" ? "numbers" : "words"))}
      >
        {column.label}
        <Icon name="chevron" />
      </button>
    </th>
  );
}

function highestOf<Row>(column: Column<Row>, rows: readonly Row[]): number {
  return Math.max(0, ...rows.map((row) => Number(column.raw(row) ?? 0)));
}
