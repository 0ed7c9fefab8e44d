import assert from "node:assert/strict";
import { test } from "node:test";

import { toCsv, type Column } from "../../static/js/charts/csv.ts";
import { nextSorting, sortBy } from "../../static/js/charts/sort.ts";

interface Row {
  readonly name: string;
  readonly value: number | null;
}

const columns: readonly Column<Row>[] = [
  { key: "name", label: "Name", raw: (row) => row.name },
  { key: "value", label: "Engaged", unit: "ms", raw: (row) => row.value, show: () => "never in the file" },
];

test("CSV carries raw values, units in the heading, quotes where needed, and no formula", () => {
  const rows: Row[] = [
    { name: 'a "b", c', value: 1.5 },
    { name: "=HYPERLINK(1)", value: null },
    { name: "line\nbreak", value: -3 },
    { name: "München", value: Number.NaN },
  ];
  assert.equal(
    toCsv(columns, rows),
    "\ufeffName,Engaged (ms)\r\n" +
      '"a ""b"", c",1.5\r\n' +
      "'=HYPERLINK(1),\r\n" +
      '"line\nbreak",-3\r\n' +
      "München,\r\n",
  );
});

test("CSV of nothing is its heading", () => {
  assert.equal(toCsv(columns, []), "\ufeffName,Engaged (ms)\r\n");
});

test("rows sort both ways, unknown values last, equals in their order", () => {
  const rows: Row[] = [
    { name: "one", value: 2 }, { name: "two", value: null }, { name: "three", value: 1 }, { name: "four", value: 2 },
  ];
  const names = (sorted: Row[]) => sorted.map((row) => row.name);
  assert.deepEqual(names(sortBy(rows, (row) => row.value, "ascending")), ["three", "one", "four", "two"]);
  assert.deepEqual(names(sortBy(rows, (row) => row.value, "descending")), ["one", "four", "three", "two"]);
  assert.deepEqual(names(sortBy(rows, (row) => row.name, "ascending")), ["four", "one", "three", "two"]);
  assert.deepEqual(names(rows), ["one", "two", "three", "four"]);
});

test("a heading turns its own column round and starts another in its natural direction", () => {
  assert.deepEqual(nextSorting({ key: "views", direction: "descending" }, "views", "numbers"), { key: "views", direction: "ascending" });
  assert.deepEqual(nextSorting({ key: "views", direction: "ascending" }, "title", "words"), { key: "title", direction: "ascending" });
  assert.deepEqual(nextSorting({ key: "title", direction: "ascending" }, "views", "numbers"), { key: "views", direction: "descending" });
});
