import { useMemo, useRef } from "preact/hooks";

import { CsvButton, Definition } from "../charts/figure.tsx";
import { plural } from "../charts/format.ts";
import { rangeQuery } from "../charts/range.ts";
import type { Sorting } from "../charts/sort.ts";
import { DataTable } from "../charts/table.tsx";
import { Card } from "../components/card.tsx";
import { EmptyState } from "../components/empty.tsx";
import { SkeletonTable } from "../components/skeleton.tsx";
import { definePage, type PageContext } from "../page.ts";
import { askRanged, type Ranged } from "./parts/analytics.ts";
import { comparison, type Comparison } from "./parts/comparison.ts";
import { InsightsHeader } from "./parts/insights_header.tsx";
import { AnalyticsOff, DemoNotice, FirstEvent, NothingHere } from "./parts/insights_states.tsx";
import { useQueryState, type ChangeQuery } from "./parts/query_state.ts";
import { RangeNotice, RangePicker } from "./parts/range_picker.tsx";
import { arrange, comparable, ROUTE_COLUMNS, sortingFrom } from "./parts/route_columns.ts";
import type { InsightsRoutes } from "./parts/shapes.ts";
import { SkeletonRange, SkeletonSection } from "./parts/skeletons.tsx";
import { useShortcuts } from "./parts/shortcuts.ts";

export default definePage<Ranged<InsightsRoutes>>({
  load: (context) => askRanged<InsightsRoutes>("routes", context),
  View: Routes,
  title: () => "Insights · Routes",
  Skeleton: () => <><SkeletonSection /><SkeletonRange /><SkeletonTable count={12} /></>,
});

function Routes({ data, ctx }: { data: Ranged<InsightsRoutes>; ctx: PageContext }) {
  const { range, today, problem, answer } = data;
  const [query, change] = useQueryState(ctx);
  if (answer === null) return <><InsightsHeader tab="routes" /><AnalyticsOff ctx={ctx} /></>;
  const compared = comparison(answer.previous, answer.recorded_since);
  if (answer.empty) return <><InsightsHeader tab="routes" /><FirstEvent ctx={ctx} /></>;
  return (
    <>
      <InsightsHeader tab="routes" query={rangeQuery(range, today)} />
      {answer.demo && <DemoNotice />}
      <RangeNotice problem={problem} range={range} today={today} change={change} />
      <RangePicker range={range} today={today} query={query} ctx={ctx} />
      {answer.rows.length === 0 ? <NothingHere /> : (
        <>
          <RouteTable answer={answer} compared={compared} query={query} change={change} />
          <p class="page-foot muted">Compared with {compared.words}. Days are counted in UTC.</p>
        </>
      )}
    </>
  );
}

interface TableProps {
  readonly answer: InsightsRoutes;
  readonly compared: Comparison;
  readonly query: URLSearchParams;
  readonly change: ChangeQuery;
}

function RouteTable({ answer, compared, query, change }: TableProps) {
  const find = useRef<HTMLInputElement>(null);
  useShortcuts({ "/": () => find.current?.focus() });
  const sorting = sortingFrom(query);
  const wanted = query.get("find") ?? "";
  const rows = useMemo(
    () => arrange(comparable(answer.rows, compared.whole), sorting, wanted),
    [answer.rows, compared.whole, sorting.key, sorting.direction, wanted],
  );
  const sort = ({ key, direction }: Sorting<string>) => change({ sort: key, order: direction === "ascending" ? "up" : "" });

  return (
    <Card
      flush
      title={plural(rows.length, "route")}
      actions={(
        <>
          <input
            ref={find}
            type="search"
            class="search"
            aria-label="Find routes by title"
            aria-keyshortcuts="/"
            placeholder="Find…  /"
            value={wanted}
            onInput={(event) => change({ find: event.currentTarget.value })}
          />
          <CsvButton file={`routes_${answer.range.from}_${answer.range.to}`} columns={ROUTE_COLUMNS} rows={rows} />
        </>
      )}
    >
      {rows.length === 0 ? <EmptyState title="No route fits" icon="search"><p>No title or name holds “{wanted}”.</p></EmptyState> : (
        <DataTable
          caption="Routes"
          columns={ROUTE_COLUMNS}
          rows={rows}
          rowKey={(row) => row.route}
          sorting={sorting}
          onSort={sort}
        />
      )}
      <div class="card-foot"><Definition text={answer.definition} /></div>
    </Card>
  );
}
