import assert from "node:assert/strict";
import { test } from "node:test";

import { toCsv } from "../../static/js/charts/csv.ts";
import { arrange, comparable, ROUTE_COLUMNS, sortingFrom } from "../../static/js/views/parts/route_columns.ts";
import type { RouteRow } from "../../static/js/views/parts/shapes.ts";

const row = (route: string, title: string, values: Partial<RouteRow> = {}): RouteRow => ({
  route, title, views: 10, previous_views: 8, users: 3, teams: 1, engaged_median_ms: 4000, engaged_p75_ms: 9000,
  entry_ratio: 0.5, exit_ratio: 0.1, load_p75_ms: 300, ...values,
});
const ROWS = [
  row("home", "Home", { views: 20 }),
  row("team", "Team", { engaged_median_ms: null, previous_views: 0 }),
  row("account", "Profile", { previous_views: 20 }),
];
const ask = (text: string) => sortingFrom(new URLSearchParams(text));
const names = (rows: readonly RouteRow[]) => rows.map(({ route }) => route);

test("the address decides the order, and nonsense in it means by views", () => {
  const first = { key: "views", direction: "descending" };
  assert.deepEqual(ask(""), first);
  assert.deepEqual(ask("sort=constructor&order=up"), first);
  assert.deepEqual(ask("sort=users&order=up"), { key: "users", direction: "ascending" });
  assert.deepEqual(ask("sort=users"), { key: "users", direction: "descending" });
});

test("rows are ordered by raw values, equals by title, unknown last", () => {
  assert.deepEqual(names(arrange(ROWS, ask(""), "")), ["home", "account", "team"]);
  assert.deepEqual(names(arrange(ROWS, ask("sort=median&order=up"), "")), ["home", "account", "team"]);
  assert.deepEqual(names(arrange(ROWS, ask("sort=change"), "")), ["home", "account", "team"]);
  assert.deepEqual(names(arrange(ROWS, ask("sort=change&order=up"), "")), ["account", "home", "team"]);
});

test("against days that were never recorded nothing is compared", () => {
  assert.equal(comparable(ROWS, true), ROWS);
  const change = ROUTE_COLUMNS.find(({ key }) => key === "change")!;
  assert.deepEqual(comparable(ROWS, false).map((one) => [change.raw(one), change.show?.(one)]), ROWS.map(() => [null, "–"]));
});

test("finding looks at title and name", () => {
  assert.deepEqual(names(arrange(ROWS, ask(""), " PROF ")), ["account"]);
  assert.deepEqual(names(arrange(ROWS, ask(""), "account")), ["account"]);
  assert.deepEqual(names(arrange(ROWS, ask(""), "nothing")), []);
});

test("the file holds the rows as they are shown, with raw values", () => {
  const csv = toCsv(ROUTE_COLUMNS, arrange(ROWS, ask(""), "team"));
  assert.equal(
    csv,
    '\ufeffPage,Views,Change,Users,Teams,"Engaged, median (ms)","Engaged, p75 (ms)",Entry,Exit,"Load, p75 (ms)"\r\n' +
      "Team,10,,3,1,,9000,0.5,0.1,300\r\n",
  );
});
