import { useState } from "preact/hooks";

import { ApiError } from "../api.ts";
import type { Boot } from "../boot.ts";
import { AccountHeader } from "../components/account_header.tsx";
import { Badge } from "../components/badge.tsx";
import { CopyButton } from "../components/button.tsx";
import { Card, Facts } from "../components/card.tsx";
import { EmptyState } from "../components/empty.tsx";
import { Switch } from "../components/field.tsx";
import { Notice } from "../components/notice.tsx";
import { RecordedEvents, type RecordedEvent } from "../components/recorded_events.tsx";
import { SkeletonCard, SkeletonHeader, SkeletonTable } from "../components/skeleton.tsx";
import { definePage, type PageContext } from "../page.ts";
import { refusal } from "../telemetry/consent.ts";

interface Privacy {
  opt_out: boolean;
  pseudonym: string;
  recorded: boolean;
  events: readonly RecordedEvent[];
}

function PrivacyView({ data, ctx }: { data: Privacy; ctx: PageContext }) {
  const [optOut, setOptOut] = useState(data.opt_out);
  const [busy, setBusy] = useState(false);

  async function choose(recorded: boolean) {
    setBusy(true);
    setOptOut(!recorded);
    try {
      const { boot } = await ctx.api.put<Privacy & { boot: Boot }>("user/privacy", { opt_out: !recorded });
      ctx.session.changedPrivacy(boot);
      await ctx.reload();
    } catch (error) {
      setOptOut(data.opt_out);
      ctx.toast(error instanceof ApiError ? error.message : "Your choice could not be saved. Try again.", "error");
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <AccountHeader current="account_privacy" />
      <div class="stack narrow">
        <BrowserWish boot={ctx.boot} />
        <Card title="Usage analytics">
          <Switch
            name="recorded"
            label="Record how I use FlowForge"
            checked={!optOut}
            disabled={busy}
            onChange={choose}
            hint={<p>Which pages you open and for how long, and actions such as creating a team. The choice is kept with your account and holds in every browser.</p>}
          />
          <Facts
            items={[
              ["State", <State data={data} boot={ctx.boot} />],
              ["Known as", <Pseudonym text={data.pseudonym} />],
            ]}
          />
          <p class="muted small">Events carry this pseudonym, never your name or address. Ids, queries and titles are removed from addresses before anything is kept.</p>
        </Card>
        <Events data={data} />
      </div>
    </>
  );
}

/** What the browser itself asks for, where that is honoured. */
function BrowserWish({ boot }: { boot: Boot }) {
  const reason = refusal({ ...boot, user: null }, navigator as Navigator & { globalPrivacyControl?: boolean });
  if (reason !== "gpc" && reason !== "dnt") return null;
  const signal = reason === "gpc" ? "Global Privacy Control" : "Do Not Track";
  return (
    <Notice tone="accent" title={`Your browser sends ${signal}`}>
      <p>It is honoured here: your page views are not recorded from this browser, whatever the switch below says.</p>
    </Notice>
  );
}

function State({ data, boot }: { data: Privacy; boot: Boot }) {
  if (data.opt_out) return <Badge>You opted out</Badge>;
  if (!data.recorded) return <Badge>Recording is off on this server</Badge>;
  const reason = refusal(boot, navigator as Navigator & { globalPrivacyControl?: boolean });
  if (reason === "gpc" || reason === "dnt") return <Badge tone="accent">Actions only; page views are off in this browser</Badge>;
  return <Badge tone="success">Recorded</Badge>;
}

function Pseudonym({ text }: { text: string }) {
  return (
    <span class="with-badge">
      <code>{text}</code>
      <CopyButton text={text} />
    </span>
  );
}

function Events({ data }: { data: Privacy }) {
  return (
    <Card title="What is recorded about me" lede={data.events.length > 0 ? "The last events themselves, newest first. Open one to see everything in it." : undefined} flush>
      {data.events.length > 0 ? (
        <RecordedEvents events={data.events} />
      ) : (
        <EmptyState title="Nothing is recorded" icon="lock">
          {data.opt_out ? <p>You opted out. What was recorded before can no longer be told from anybody else's.</p> : <p>Events appear here as soon as there are any.</p>}
        </EmptyState>
      )}
    </Card>
  );
}

export default definePage<Privacy>({
  load: ({ api, signal }) => api.get<Privacy>("user/privacy", { signal }),
  View: PrivacyView,
  Skeleton: () => (
    <>
      <SkeletonHeader tabs />
      <div class="stack narrow">
        <SkeletonCard count={5} />
        <SkeletonTable count={6} />
      </div>
    </>
  ),
});
