import { useState } from "preact/hooks";

import { count } from "../charts/format.ts";
import { Button } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { EmptyState } from "../components/empty.tsx";
import { Notice } from "../components/notice.tsx";
import { SkeletonCard, SkeletonTable } from "../components/skeleton.tsx";
import { definePage, type PageContext } from "../page.ts";
import { AdminHeader } from "./parts/admin_header.tsx";
import { ChannelCard } from "./parts/channel_card.tsx";
import { usePolling } from "./parts/polling.ts";
import { ReceivedTable } from "./parts/received_table.tsx";
import type { TelemetryStatus } from "./parts/shapes.ts";
import { SkeletonSection } from "./parts/skeletons.tsx";

const EVERY_MS = 5000;

export default definePage<TelemetryStatus>({
  load: ({ api, signal }) => api.get<TelemetryStatus>("admin/telemetry/status", { signal }),
  View: AdminTelemetry,
  title: () => "Administration · Telemetry",
  Skeleton: () => (
    <>
      <SkeletonSection />
      <div class="grid-2">{[0, 1, 2, 3].map((index) => <SkeletonCard key={index} count={6} />)}</div>
      <SkeletonTable count={4} />
    </>
  ),
});

function AdminTelemetry({ data: first, ctx }: { data: TelemetryStatus; ctx: PageContext }) {
  const [refreshing, setRefreshing] = useState(true);
  const { data: status, problem } = usePolling(
    first,
    (signal) => ctx.api.get<TelemetryStatus>("admin/telemetry/status", { signal }),
    EVERY_MS,
    refreshing,
  );
  return (
    <>
      <AdminHeader
        tab="telemetry"
        actions={(
          <Button kind="quiet" onClick={() => setRefreshing(!refreshing)}>
            <span class={refreshing && !problem ? "pulse" : "pulse pulse-off"} aria-hidden="true" />
            {refreshing ? "Pause refreshing" : "Refresh every 5 s"}
          </Button>
        )}
      />
      <div class="stack">
        {problem && <Notice tone="danger" alert title="These numbers are no longer fresh"><p>{problem}</p></Notice>}
        {status.warnings.map((warning) => <Notice key={warning} tone="warning"><p>{warning}</p></Notice>)}
        <div class="grid-2">{status.channels.map((channel) => <ChannelCard key={channel.channel} channel={channel} />)}</div>
        <Card title="Events sent to this server" lede="Every event is accepted or dropped for one reason; the numbers add up." flush>
          <ReceivedTable status={status} />
        </Card>
        <Card
          title="Hosts this platform may contact"
          lede={status.hosts.length > 0 ? `${count(status.hosts.length)} in all; there are no others.` : undefined}
          flush
        >
          {status.hosts.length === 0 ? (
            <EmptyState title="None" icon="lock"><p>With these settings nothing leaves this platform.</p></EmptyState>
          ) : (
            <ul class="list">{status.hosts.map((host) => <HostRow key={`${host.host} ${host.why}`} host={host} />)}</ul>
          )}
        </Card>
      </div>
    </>
  );
}

function HostRow({ host }: { host: TelemetryStatus["hosts"][number] }) {
  return (
    <li class="list-row host">
      <code class="host-name">{host.host}</code>
      <p><b>Why</b> {host.why}</p>
      <p><b>How to stop it</b> {host.how_to_stop}</p>
    </li>
  );
}
