import { count } from "../../charts/format.ts";
import { Badge } from "../../components/badge.tsx";
import { When } from "../../components/when.tsx";
import { Layers } from "./layers.tsx";
import type { Channel } from "./shapes.ts";
import { layerPhrase, reasonWords } from "./telemetry_words.ts";

/** One channel: on or off, who decided, and how its deliveries fare. */
export function ChannelCard({ channel }: { channel: Channel }) {
  const heading = `channel-${channel.channel}`;
  return (
    <section class="card channel" aria-labelledby={heading}>
      <header class="card-head">
        <div>
          <h2 id={heading}>{channel.label}</h2>
          <p class="muted">{reasonWords(channel.reason)} Decided by {layerPhrase(channel.decided_by)}.</p>
        </div>
        <Badge tone={channel.allowed ? "success" : "neutral"}>{channel.allowed ? "On" : "Off"}</Badge>
      </header>
      <div class="card-body">
        {DELIVERS.has(channel.channel) ? <Deliveries channel={channel} /> : <p class="muted">{ELSEWHERE[channel.channel]}</p>}
        {channel.channel === "ping" && <p><a class="link" href="/admin/telemetry/ping">What it says, and what was sent</a></p>}
        {channel.last_error && (
          <p class="channel-error">
            <b>Last error</b>{channel.last_error_at && <>, <When iso={channel.last_error_at} /></>}: {channel.last_error}
          </p>
        )}
        <Layers layers={channel.layers} />
      </div>
    </section>
  );
}

/** Channels that take events from this server's log, one by one. */
const DELIVERS: ReadonlySet<string> = new Set(["posthog", "local"]);

const ELSEWHERE: Readonly<Record<string, string>> = {
  ping: "One message a day; it carries no events.",
  plausible: "Browsers send to Plausible themselves, so this server cannot count it.",
};

function Deliveries({ channel }: { channel: Channel }) {
  const idle = !channel.allowed && channel.addressed === 0;
  if (idle) return <p class="muted">Nothing was ever delivered.</p>;
  return (
    <dl class="figures">
      <div><dt>Last success</dt><dd>{channel.last_success_at ? <When iso={channel.last_success_at} /> : "never"}</dd></div>
      <div><dt>Waiting</dt><dd>{count(channel.pending)}</dd></div>
      <div><dt>Delivered</dt><dd>{count(channel.delivered)}</dd></div>
      <div><dt>Given up</dt><dd class={channel.failed > 0 ? "tone-danger" : undefined}>{count(channel.failed)}</dd></div>
      {channel.abandoned > 0 && <div><dt>Dropped while waiting</dt><dd>{count(channel.abandoned)}</dd></div>}
    </dl>
  );
}
