import { useState } from "preact/hooks";

import { count } from "../charts/format.ts";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { SkeletonTable, SkeletonTiles } from "../components/skeleton.tsx";
import { StatTile, StatTiles } from "../components/stat_tile.tsx";
import { definePage, type PageContext } from "../page.ts";
import { ask, type Answer } from "./parts/analytics.ts";
import { EventStream } from "./parts/event_stream.tsx";
import { InsightsHeader } from "./parts/insights_header.tsx";
import { AnalyticsOff, FirstEvent } from "./parts/insights_states.tsx";
import { LiveMinutes } from "./parts/live_minutes.tsx";
import { usePolling } from "./parts/polling.ts";
import type { InsightsLive } from "./parts/shapes.ts";
import { SkeletonFigure, SkeletonSection } from "./parts/skeletons.tsx";
import { useShortcuts } from "./parts/shortcuts.ts";

const EVERY_MS = 1000;

export default definePage<Answer<InsightsLive>>({
  load: (context) => ask<InsightsLive>("live", context),
  View: Live,
  title: () => "Insights · Live",
  Skeleton: () => <><SkeletonSection /><SkeletonTiles count={3} /><SkeletonFigure /><SkeletonTable count={10} /></>,
});

function Live({ data, ctx }: { data: Answer<InsightsLive>; ctx: PageContext }) {
  if (data === null) return <><InsightsHeader tab="live" /><AnalyticsOff ctx={ctx} /></>;
  if (data.empty) return <><InsightsHeader tab="live" /><FirstEvent ctx={ctx} /></>;
  return <Running first={data} ctx={ctx} />;
}

function Running({ first, ctx }: { first: InsightsLive; ctx: PageContext }) {
  const [running, setRunning] = useState(true);
  const { data: live, problem } = usePolling(
    first,
    (signal) => ctx.api.get<InsightsLive>("insights/live", { signal }),
    EVERY_MS,
    running,
  );
  useShortcuts({ p: () => setRunning(!running) });
  const busiest = Math.max(0, ...live.minutes.map((minute) => minute.views));
  const views = live.minutes.reduce((sum, minute) => sum + minute.views, 0);
  return (
    <>
      <InsightsHeader
        tab="live"
        actions={(
          <Button kind="quiet" onClick={() => setRunning(!running)}>
            <span class={running && !problem ? "pulse" : "pulse pulse-off"} aria-hidden="true" />
            {running ? "Pause" : "Go on"}
          </Button>
        )}
      />
      {problem && <Notice tone="danger" alert title="The newest events cannot be fetched"><p>{problem} Trying again.</p></Notice>}
      <StatTiles>
        <StatTile label="People here now" value={count(live.users_now)} definition="Signed-in people with an event in the last five minutes" />
        <StatTile label="Views in 30 minutes" value={count(views)} definition="Pages entered in the last 30 minutes" />
        <StatTile label="Busiest minute" value={count(busiest)} unit="views" definition="Most views in one of the last 30 minutes" />
      </StatTiles>
      <LiveMinutes minutes={live.minutes} />
      <EventStream events={live.events} fresh={live !== first} paused={!running} />
    </>
  );
}
