/** Tables as CSV (RFC 4180): the columns and rows that are shown, with raw values instead of formatted ones. */

export type Cell = string | number | null;

export interface Column<Row> {
  readonly key: string;
  /** Heading of the table; with `unit`, the CSV heading says the unit too. */
  readonly label: string;
  readonly unit?: string;
  /** Left for words, right for numbers. */
  readonly align?: "start" | "end";
  /** A sentence about what the column holds. */
  readonly help?: string;
  /** Draws a bar below the number, against the column's highest. */
  readonly bar?: boolean;
  raw(row: Row): Cell;
  /** What people read; the raw value when left out. */
  show?(row: Row): string;
}

/** A byte-order mark keeps umlauts whole in spreadsheets that guess. */
const BOM = "\ufeff";

export function toCsv<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const heading = columns.map((column) => field(column.unit ? `${column.label} (${column.unit})` : column.label));
  const lines = rows.map((row) => columns.map((column) => field(column.raw(row))));
  return BOM + [heading, ...lines].map((cells) => `${cells.join(",")}\r\n`).join("");
}

/** Offers `text` as a file; nothing leaves the browser. */
export function download(name: string, text: string, type = "text/csv;charset=utf-8"): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  // A link outside the document is no navigation of the router's.
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function field(value: Cell): string {
  if (value === null) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  // A cell that a spreadsheet would run as a formula is made text.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
