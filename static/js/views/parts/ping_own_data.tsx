import { useState } from "preact/hooks";

import { ApiError } from "../../api.ts";
import { Button, CopyButton } from "../../components/button.tsx";
import { Card, Facts } from "../../components/card.tsx";
import { Notice } from "../../components/notice.tsx";
import type { PageContext } from "../../page.ts";
import { PingBody } from "./ping_body.tsx";
import type { PingConsole, Revealed } from "./ping_shapes.ts";
import { hostOf } from "./ping_words.ts";

/** Show and erase what the collector holds; the secret for it is fetched when somebody asks, never before. */
export function PingOwnData({ ping, ctx }: { ping: PingConsole; ctx: PageContext }) {
  const [found, setFound] = useState<Revealed | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function reveal() {
    setBusy(true);
    setProblem(null);
    try {
      setFound(await ctx.api.post<Revealed>("admin/telemetry/ping/reveal"));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.message);
    } finally {
      setBusy(false);
    }
  }

  const taken = ping.history.some((row) => row.outcome === "sent");
  return (
    <Card
      title="See and erase what the collector holds"
      lede="This installation keeps a secret whose SHA-256 travels with each ping. Whoever has the secret can list what is held about this installation, and erase all of it."
      actions={found
        ? <Button onClick={() => setFound(null)}>Hide</Button>
        : <Button icon="lock" busy={busy} onClick={() => void reveal()}>Show the secret</Button>}
    >
      <div class="stack-small">
        {problem && <Notice tone="danger" alert title="The secret cannot be shown"><p>{problem}</p></Notice>}
        {found ? <Secret found={found} host={hostOf(ping.url)} /> : (
          <p class="muted">
            {taken ? "" : "None of the pings kept here was taken, so the collector may hold nothing. "}
            That the secret was shown, and to whom, is written into the audit log.
          </p>
        )}
      </div>
    </Card>
  );
}

function Secret({ found, host }: { found: Revealed; host: string }) {
  return (
    <>
      <Facts
        items={[
          ["Random identifier", <Copyable text={found.instance_id} />],
          ["Secret", <Copyable text={found.secret} />],
        ]}
      />
      <Line title={`See everything ${host} holds`} text={found.show} />
      <Line title="Erase all of it, for good" text={found.erase} />
      <p class="muted">Switch the ping off before you erase: the next ping would begin anew. The secret stays the same.</p>
    </>
  );
}

function Copyable({ text }: { text: string }) {
  return <span class="copyable"><code>{text}</code><CopyButton text={text} /></span>;
}

function Line({ title, text }: { title: string; text: string }) {
  return (
    <div>
      <div class="ping-part-head"><h3>{title}</h3><CopyButton text={text} label="Copy the line" /></div>
      <PingBody label={title} text={text} />
    </div>
  );
}
