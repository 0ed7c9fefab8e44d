import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { ApiError } from "../../api.ts";
import { plural } from "../../charts/format.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import { Icon } from "../../components/icon.tsx";
import { Notice } from "../../components/notice.tsx";
import { When } from "../../components/when.tsx";
import type { PageContext } from "../../page.ts";
import { Layers } from "./layers.tsx";
import type { PingConsole, PingRow } from "./ping_shapes.ts";
import { hostOf, newestFailure, outcomeWords, troubleWords } from "./ping_words.ts";
import { layerPhrase } from "./telemetry_words.ts";

interface Props {
  readonly ping: PingConsole;
  readonly ctx: PageContext;
}

/** On or off and who decided, where it goes and when; sending one now, and what became of it. */
export function PingState({ ping, ctx }: Props) {
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<PingRow | string | null>(null);
  const { decision } = ping;

  async function send() {
    setBusy(true);
    setTold(null);
    try {
      setTold(await ctx.api.post<PingRow>("admin/telemetry/ping/send"));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setTold(error.message);
    } finally {
      setBusy(false);
      await ctx.reload().catch(() => undefined);
    }
  }

  const failure = told === null && !busy ? newestFailure(ping.history) : null;
  return (
    <Card
      title={decision.allowed ? "The ping is on" : "The ping is off"}
      lede={<Decided ping={ping} />}
      actions={(
        <>
          <Badge tone={decision.allowed ? "success" : "neutral"}>{decision.allowed ? "On" : "Off"}</Badge>
          {decision.allowed && <Button kind="primary" busy={busy} onClick={() => void send()}>Send now</Button>}
        </>
      )}
    >
      <div class="stack-small">
        <p class="ping-progress" role="status" hidden={!busy}>
          {busy && <><span class="pulse" aria-hidden="true" />Posting to {hostOf(ping.url)}: one try, at most ten seconds.</>}
        </p>
        {typeof told === "string" && <Notice tone="danger" alert title="Nothing was sent"><p>{told}</p></Notice>}
        {told !== null && typeof told !== "string" && <Result row={told} ping={ping} alert />}
        {failure && <Result row={failure} ping={ping} />}
        <Figures ping={ping} />
        <Layers layers={decision.layers} />
      </div>
    </Card>
  );
}

function Decided({ ping: { decision } }: { ping: PingConsole }) {
  const locked = decision.decided_by === "environment" || decision.decided_by === "file";
  if (decision.decided_by === "setup") return <>{decision.explanation}</>;
  return (
    <>
      {decision.explanation}{" "}
      {locked ? (
        <span class="with-icon"><Icon name="lock" />No switch here changes it.</span>
      ) : (
        <>Decided by {layerPhrase(decision.decided_by)}. <a class="link" href="/admin/settings">{decision.allowed ? "Switch it off" : "Switch it on"} in Settings</a></>
      )}
    </>
  );
}

/** What became of one ping, and what to do about it. */
function Result({ row, ping, alert = false }: { row: PingRow; ping: PingConsole; alert?: boolean }) {
  if (row.outcome === "sent") {
    return (
      <Notice tone="success" alert={alert} title={`Taken: ping ${row.seq}, ${row.bytes} bytes`}>
        <p>{row.receipt ? <>Receipt <code>{row.receipt}</code></> : "The collector gave no receipt; older ones give none."}</p>
      </Notice>
    );
  }
  if (row.error === null) {
    return <Notice alert={alert} title={`Ping ${row.seq} is on its way`}><p>Its result appears below by itself.</p></Notice>;
  }
  const trouble = troubleWords(row.error);
  return (
    <Notice tone="danger" alert={alert} title={`Ping ${row.seq} was not taken`}>
      <p>{trouble.what} {trouble.look}</p>
      <p>
        Tried {row.attempts === 1 ? "once" : plural(row.attempts, "time")} at <code>{ping.url}</code>, <When iso={row.made_at} />. Its
        bytes are kept. {ping.decision.allowed && <>The next one goes out <Next ping={ping} />.</>} Nothing else on this server depends on it.
      </p>
      <p>No way out of this network? <code>flowforge telemetry bundle FILE</code> writes what was not taken into a file to be carried.</p>
    </Notice>
  );
}

function Figures({ ping }: { ping: PingConsole }) {
  const [newest] = ping.history;
  return (
    <dl class="figures ping-figures">
      <Figure term="Goes to"><code>{ping.url}</code></Figure>
      <Figure term="Next">{ping.decision.allowed ? <Next ping={ping} /> : "never, while it is off"}</Figure>
      <Figure term="Last">{newest ? <><When iso={newest.made_at} /> · {outcomeWords(newest.outcome)[0].toLowerCase()}</> : "none yet"}</Figure>
      <Figure term="Plan accepted">{ping.plan.accepted < ping.plan.version ? `version ${ping.plan.accepted} of ${ping.plan.version}` : `version ${ping.plan.accepted}`}</Figure>
    </dl>
  );
}

function Figure({ term, children }: { term: string; children: ComponentChildren }) {
  return <div><dt>{term}</dt><dd>{children}</dd></div>;
}

function Next({ ping: { next_due } }: { ping: PingConsole }) {
  if (next_due === null) return <>within a day</>;
  if (Date.parse(next_due) - Date.now() < 60_000) return <time dateTime={next_due}>in a moment</time>;
  return <When iso={next_due} />;
}
