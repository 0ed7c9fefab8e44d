import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { Icon } from "./icon.tsx";

export interface Column<Row> {
  key: string;
  label: string;
  cell(row: Row): ComponentChildren;
  /** `end` for numbers: they align by their digits. */
  align?: "start" | "end";
  /** Makes the column sortable; null sorts last. */
  sort?(row: Row): number | string | null;
  /** Hidden on phones. */
  minor?: boolean;
  /** The heading is for screen readers only (a column of buttons). */
  bare?: boolean;
}

interface TableProps<Row> {
  /** What the table holds, for screen readers. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey(row: Row): string;
  /** Column and direction to start with; without one the rows keep their order. */
  sortedBy?: { key: string; down: boolean };
}

/** A table that scrolls inside itself when it is wider than the page. The first column names the row. */
export function Table<Row>({ caption, columns, rows, rowKey, sortedBy }: TableProps<Row>) {
  const [order, setOrder] = useState(sortedBy);
  const sorted = sortRows(rows, columns.find((column) => column.key === order?.key)?.sort, order?.down ?? false);
  return (
    <div class="table-wrap table-named" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Heading key={column.key} column={column} order={order} onSort={setOrder} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column, index) => {
                const Cell = index === 0 ? "th" : "td";
                return (
                  <Cell key={column.key} scope={index === 0 ? "row" : undefined} class={classOf(column)}>
                    {column.cell(row)}
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

interface Order {
  key: string;
  down: boolean;
}

interface HeadingProps<Row> {
  column: Column<Row>;
  order: Order | undefined;
  onSort(order: Order): void;
}

function Heading<Row>({ column, order, onSort }: HeadingProps<Row>) {
  const active = order?.key === column.key;
  const label = column.bare ? <span class="visually-hidden">{column.label}</span> : column.label;
  if (!column.sort) {
    return (
      <th scope="col" class={classOf(column)}>
        {label}
      </th>
    );
  }
  return (
    <th scope="col" class={classOf(column)} aria-sort={active ? (order.down ? "descending" : "ascending") : undefined}>
      <button
        type="button"
        class="sort"
        onClick={() => onSort({ key: column.key, down: active ? !order.down : column.align === "end" })}
      >
        {label}
        <Icon name="chevron" />
      </button>
    </th>
  );
}

function classOf<Row>(column: Column<Row>): string | undefined {
  const names = [column.align === "end" && "end", column.minor && "minor"].filter(Boolean);
  return names.length > 0 ? names.join(" ") : undefined;
}

function sortRows<Row>(rows: readonly Row[], by: Column<Row>["sort"], down: boolean): readonly Row[] {
  if (!by) return rows;
  return rows.toSorted((a, b) => {
    const [left, right] = [by(a), by(b)];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    const order = typeof left === "string" ? left.localeCompare(String(right)) : left - Number(right);
    return down ? -order : order;
  });
}
