import { count, plural } from "../charts/format.ts";
import { Badge } from "../components/badge.tsx";
import { CopyButton } from "../components/button.tsx";
import { Card, Facts } from "../components/card.tsx";
import { Notice } from "../components/notice.tsx";
import { SkeletonCard, SkeletonTiles } from "../components/skeleton.tsx";
import { StatTile, StatTiles } from "../components/stat_tile.tsx";
import { When } from "../components/when.tsx";
import { definePage } from "../page.ts";
import { AdminHeader } from "./parts/admin_header.tsx";
import type { AdminOverview, Channel, TelemetryStatus } from "./parts/shapes.ts";
import { pending, received } from "./parts/telemetry_sum.ts";
import { reasonWords } from "./parts/telemetry_words.ts";
import { SkeletonSection } from "./parts/skeletons.tsx";

interface Data {
  readonly overview: AdminOverview;
  readonly telemetry: TelemetryStatus;
}

export default definePage<Data>({
  async load({ api, signal }) {
    const [overview, telemetry] = await Promise.all([
      api.get<AdminOverview>("admin/overview", { signal }),
      api.get<TelemetryStatus>("admin/telemetry/status", { signal }),
    ]);
    return { overview, telemetry };
  },
  View: Admin,
  title: () => "Administration",
  Skeleton: () => (
    <>
      <SkeletonSection />
      <SkeletonTiles count={3} />
      <div class="split"><SkeletonCard count={5} /><SkeletonCard count={5} /></div>
    </>
  ),
});

function Admin({ data: { overview, telemetry } }: { data: Data }) {
  return (
    <>
      <AdminHeader tab="overview" />
      {telemetry.warnings.map((warning) => <Notice key={warning} tone="warning"><p>{warning}</p></Notice>)}
      <StatTiles>
        <StatTile label="Users" value={count(overview.counts.users)} />
        <StatTile label="Teams" value={count(overview.counts.teams)} />
        <StatTile label="Projects" value={count(overview.counts.projects)} />
      </StatTiles>
      <div class="split split-even">
        <Card title="Telemetry" actions={<a href="/admin/telemetry">Details</a>} flush>
          <ul class="list">{telemetry.channels.map((channel) => <ChannelRow key={channel.channel} channel={channel} />)}</ul>
        </Card>
        <div class="stack">
          <DataHealth telemetry={telemetry} />
          <Installation overview={overview} />
        </div>
      </div>
    </>
  );
}

function ChannelRow({ channel }: { channel: Channel }) {
  return (
    <li class="list-row">
      <span class="list-main">
        <span class="list-title">{channel.label}</span>
        <span class="muted">
          {reasonWords(channel.reason)}
          {channel.allowed && channel.last_success_at && <> Last success <When iso={channel.last_success_at} />.</>}
        </span>
      </span>
      <Badge tone={channel.allowed ? "success" : "neutral"}>{channel.allowed ? "On" : "Off"}</Badge>
    </li>
  );
}

function DataHealth({ telemetry }: { telemetry: TelemetryStatus }) {
  const { accepted, dropped, sent } = received(telemetry);
  const waiting = pending(telemetry);
  const failed = telemetry.channels.reduce((sum, channel) => sum + channel.failed, 0);
  return (
    <Card title="Data health">
      <Facts
        items={[
          ["Events sent to this server", count(sent)],
          ["Accepted", count(accepted)],
          ["Dropped, with a reason", count(dropped)],
          ["Waiting for delivery", count(waiting)],
          ["Given up", failed > 0 ? <span class="tone-danger">{plural(failed, "event")}</span> : count(0)],
        ]}
      />
    </Card>
  );
}

function Installation({ overview }: { overview: AdminOverview }) {
  return (
    <Card title="This installation">
      <Facts
        items={[
          ["Version", overview.version],
          ["Random identifier", <span class="copyable"><code>{overview.instance_id}</code><CopyButton text={overview.instance_id} /></span>],
          ["Database", overview.database],
          ["Running since", <When iso={overview.started_at} />],
        ]}
      />
    </Card>
  );
}
