import { clockTime, dayRange } from "../charts/format.ts";
import { rangeQuery } from "../charts/range.ts";
import { definePage, type PageContext } from "../page.ts";
import { askRanged, type Ranged } from "./parts/analytics.ts";
import { comparison, firstRecorded } from "./parts/comparison.ts";
import { InsightTiles } from "./parts/insight_tiles.tsx";
import { InsightsHeader } from "./parts/insights_header.tsx";
import { AnalyticsOff, DemoNotice, FirstEvent, NothingHere } from "./parts/insights_states.tsx";
import { MainSeries } from "./parts/main_series.tsx";
import { useQueryState } from "./parts/query_state.ts";
import { RangeNotice, RangePicker } from "./parts/range_picker.tsx";
import type { InsightsOverview } from "./parts/shapes.ts";
import { SkeletonFigure, SkeletonInsightTiles, SkeletonRange, SkeletonSection } from "./parts/skeletons.tsx";

export default definePage<Ranged<InsightsOverview>>({
  load: (context) => askRanged<InsightsOverview>("overview", context),
  View: Insights,
  title: () => "Insights",
  Skeleton: () => (
    <>
      <SkeletonSection />
      <SkeletonRange />
      <SkeletonInsightTiles />
      <SkeletonFigure />
    </>
  ),
});

function Insights({ data, ctx }: { data: Ranged<InsightsOverview>; ctx: PageContext }) {
  const { range, today, problem, answer } = data;
  const [query, change] = useQueryState(ctx);
  if (answer === null) return <><InsightsHeader tab="overview" /><AnalyticsOff ctx={ctx} /></>;
  if (answer.empty) return <><InsightsHeader tab="overview" /><FirstEvent ctx={ctx} /></>;
  const { whole, words } = comparison(answer.previous, firstRecorded(answer));
  return (
    <>
      <InsightsHeader tab="overview" query={rangeQuery(range, today)} />
      {answer.demo && <DemoNotice />}
      <RangeNotice problem={problem} range={range} today={today} change={change} />
      <RangePicker range={range} today={today} query={query} ctx={ctx} />
      {answer.tiles.every((tile) => tile.n === 0) ? <NothingHere /> : (
        <>
          <InsightTiles tiles={answer.tiles} compared={dayRange(answer.previous.from, answer.previous.to)} whole={whole} />
          <MainSeries overview={answer} today={today} query={query} change={change} />
          <p class="page-foot muted">
            Compared with {words}. Days are counted in UTC.
            {answer.fresh_until && <> Events until {clockTime(answer.fresh_until)} are counted.</>}
          </p>
        </>
      )}
    </>
  );
}
