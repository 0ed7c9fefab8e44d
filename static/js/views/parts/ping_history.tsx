import { useEffect, useState } from "preact/hooks";

import { ApiError } from "../../api.ts";
import { count, plural } from "../../charts/format.ts";
import { Badge } from "../../components/badge.tsx";
import { Button, CopyButton, LinkButton } from "../../components/button.tsx";
import { Card, Facts } from "../../components/card.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { EmptyState } from "../../components/empty.tsx";
import { Notice } from "../../components/notice.tsx";
import { SkeletonLines } from "../../components/skeleton.tsx";
import { Table, type Column } from "../../components/table.tsx";
import { When } from "../../components/when.tsx";
import type { PageContext } from "../../page.ts";
import { PingBody } from "./ping_body.tsx";
import type { PingConsole, PingRow, SentPing } from "./ping_shapes.ts";
import { indented, outcomeWords, troubleWords } from "./ping_words.ts";

/** The last pings; each opens to its exact bytes and to what was answered. */
export function PingHistory({ ping, ctx }: { ping: PingConsole; ctx: PageContext }) {
  const [opened, setOpened] = useState<number | null>(null);
  const columns: readonly Column<PingRow>[] = [
    { key: "seq", label: "No.", cell: (row) => <button type="button" class="row-link plain-button" onClick={() => setOpened(row.seq)}>{row.seq}</button> },
    { key: "made", label: "Made", cell: (row) => <When iso={row.made_at} /> },
    { key: "outcome", label: "What became of it", cell: (row) => <Outcome row={row} /> },
    { key: "bytes", label: "Bytes", align: "end", cell: (row) => count(row.bytes) },
    { key: "receipt", label: "Receipt", minor: true, cell: (row) => (row.receipt ? <code title={row.receipt}>{row.receipt.slice(0, 12)}…</code> : <span class="muted">none</span>) },
    { key: "open", label: "Open", bare: true, align: "end", minor: true, cell: (row) => (
      <Button kind="quiet" size="small" onClick={() => setOpened(row.seq)}>Open<span class="visually-hidden"> ping {row.seq}</span></Button>
    ) },
  ];
  return (
    <Card title="What was sent" lede="The exact bytes of the last 30 pings, with the answer." flush>
      {ping.history.length === 0 ? <Empty ping={ping} /> : (
        <Table caption="Pings that were sent" columns={columns} rows={ping.history} rowKey={(row) => String(row.seq)} />
      )}
      <Dialog open={opened !== null} title={`Ping ${opened ?? ""}`} onClose={() => setOpened(null)} wide>
        {opened !== null && <OnePing seq={opened} ctx={ctx} />}
      </Dialog>
    </Card>
  );
}

function Empty({ ping: { decision } }: { ping: PingConsole }) {
  return decision.allowed ? (
    <EmptyState title="None yet"><p>The first goes out 30 seconds after a start, then one a day. “Send now” does not wait.</p></EmptyState>
  ) : (
    <EmptyState title="None" icon="lock"><p>The ping is off, and none has ever been made.</p></EmptyState>
  );
}

function Outcome({ row }: { row: PingRow }) {
  const [words, tone] = outcomeWords(row.outcome);
  return (
    <span class="with-badge">
      <Badge tone={tone}>{words}</Badge>
      {row.error && <span class="muted small">{row.error.replaceAll("_", " ")}, {row.attempts === 1 ? "one try" : plural(row.attempts, "try", "tries")}</span>}
    </span>
  );
}

function OnePing({ seq, ctx }: { seq: number; ctx: PageContext }) {
  const [found, setFound] = useState<SentPing | string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    ctx.api.get<SentPing>(`admin/telemetry/ping/history/${seq}`, { signal: stop.signal }).then(setFound, (error: unknown) => {
      if (!stop.signal.aborted) setFound(error instanceof ApiError ? error.message : "It could not be fetched.");
    });
    return () => stop.abort();
  }, [seq]);
  if (found === null) return <SkeletonLines count={8} />;
  if (typeof found === "string") {
    return <Notice tone="danger" alert title="This ping cannot be shown"><p>{found} Close and open it again.</p></Notice>;
  }
  return <Opened ping={found} />;
}

function Opened({ ping }: { ping: SentPing }) {
  const items: [string, preact.ComponentChildren][] = [
    ["What became of it", <Outcome row={ping} />],
    ["Posted to", <code>{ping.url}</code>],
    ["Made", <When iso={ping.made_at} />],
    ["Period", <code>{ping.period}</code>],
    ["Receipt", ping.receipt ? <code>{ping.receipt}</code> : "none"],
    ["SHA-256", <code>{ping.sha256}</code>],
  ];
  return (
    <>
      {ping.error && <p>{troubleWords(ping.error).what}</p>}
      <Facts items={items} />
      <div class="ping-part-head">
        <h3>The {ping.bytes} bytes that travelled</h3>
        <div class="actions">
          <CopyButton text={ping.body} label="Copy as sent" />
          <LinkButton kind="quiet" size="small" icon="download" download href={`/api/v1/admin/telemetry/ping/history/${ping.seq}/body`}>File</LinkButton>
        </div>
      </div>
      <PingBody label="The ping, indented for reading" text={indented(ping.body)} />
      <h3>The answer{ping.status !== null && `: ${ping.status}`}</h3>
      {ping.answer ? <PingBody label="The answer" text={indented(ping.answer)} /> : <p class="muted">{ping.answer === "" ? "An empty one." : "There was none."}</p>}
    </>
  );
}
