import { useEffect, useState } from "preact/hooks";

import { CopyButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { Notice } from "../components/notice.tsx";
import { PageHeader, type Crumb } from "../components/page_header.tsx";
import { SkeletonCard, SkeletonHeader, SkeletonTable } from "../components/skeleton.tsx";
import { definePage, type PageContext } from "../page.ts";
import { PingBody } from "./parts/ping_body.tsx";
import { PingChange } from "./parts/ping_change.tsx";
import { PingHistory } from "./parts/ping_history.tsx";
import { PingOwnData } from "./parts/ping_own_data.tsx";
import { PingPlanCard } from "./parts/ping_plan.tsx";
import type { PingConsole } from "./parts/ping_shapes.ts";
import { PingState } from "./parts/ping_state.tsx";
import { indented } from "./parts/ping_words.ts";
import { usePolling } from "./parts/polling.ts";

const CRUMBS: readonly Crumb[] = [
  { label: "Administration", href: "/admin" },
  { label: "Telemetry", href: "/admin/telemetry" },
];
const EVERY_MS = 2000;

export default definePage<PingConsole>({
  load: ({ api, signal }) => api.get<PingConsole>("admin/telemetry/ping", { signal }),
  View: AdminPing,
  title: () => "Administration · Core ping",
  Skeleton: () => (
    <>
      <SkeletonHeader />
      <div class="stack">
        <SkeletonCard count={5} />
        <div class="split"><SkeletonTable count={10} /><SkeletonCard count={12} /></div>
        <SkeletonTable count={5} />
      </div>
    </>
  ),
});

function AdminPing({ data: first, ctx }: { data: PingConsole; ctx: PageContext }) {
  const [waiting, setWaiting] = useState(false);
  // A ping on its way becomes one that was taken or not: the page says so by itself.
  const { data: ping } = usePolling(
    first,
    (signal) => ctx.api.get<PingConsole>("admin/telemetry/ping", { signal }),
    EVERY_MS,
    waiting,
  );
  const under_way = ping.history[0]?.outcome === "waiting";
  useEffect(() => setWaiting(under_way), [under_way]);
  return (
    <>
      <PageHeader
        title="Core ping"
        crumbs={CRUMBS}
        lede="One message a day to the makers of FlowForge. This page shows every byte of it: what is sent and why, what was sent, and how to end it."
      />
      <div class="stack">
        {ping.plan.waiting.length > 0 && <PingChange plan={ping.plan} ctx={ctx} />}
        <PingState ping={ping} ctx={ctx} />
        <div class="split ping-split">
          <PingPlanCard plan={ping.plan} allowed={ping.decision.allowed} />
          <div class="stack">
            <Preview ping={ping} />
            <PingOwnData ping={ping} ctx={ctx} />
          </div>
        </div>
        <PingHistory ping={ping} ctx={ctx} />
      </div>
    </>
  );
}

function Preview({ ping: { preview, decision } }: { ping: PingConsole }) {
  return (
    <Card
      title={decision.allowed ? "The next ping, to the byte" : "What a ping would say, to the byte"}
      lede={`Made by the code that sends. ${preview.bytes} bytes on the way; indented here for reading.`}
      actions={<CopyButton text={preview.body} label="Copy as sent" />}
    >
      <div class="stack-small">
        {preview.left_out.length > 0 && (
          <Notice tone="warning" title="Left out">
            <p>The value does not fit its type: {preview.left_out.map((path) => <code key={path}>{path} </code>)}</p>
          </Notice>
        )}
        <PingBody label="The next ping" text={indented(preview.body)} />
        <p class="muted small">
          {decision.allowed
            ? "Until it goes out, counts may change, and the last part of the period is drawn anew for each ping."
            : "The ping is off: nothing of this is sent."}
        </p>
      </div>
    </Card>
  );
}
