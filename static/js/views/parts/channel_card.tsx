import { count } from "../../charts/format.ts";
import { Badge } from "../../components/badge.tsx";
import { Facts } from "../../components/card.tsx";
import { When } from "../../components/when.tsx";
import type { Channel } from "./shapes.ts";
import { layerValue, layerWords, reasonWords } from "./telemetry_words.ts";

/** One channel: on or off, who decided, and how its deliveries fare. */
export function ChannelCard({ channel }: { channel: Channel }) {
  const heading = `channel-${channel.channel}`;
  return (
    <section class="card channel" aria-labelledby={heading}>
      <header class="card-head">
        <div>
          <h2 id={heading}>{channel.label}</h2>
          <p class="muted">{reasonWords(channel.reason)} Decided by {layerWords(channel.decided_by)}.</p>
        </div>
        <Badge tone={channel.allowed ? "success" : "neutral"}>{channel.allowed ? "On" : "Off"}</Badge>
      </header>
      <div class="card-body">
        <Facts
          items={[
            ["Last success", channel.last_success_at ? <When iso={channel.last_success_at} /> : "never"],
            ["Waiting", count(channel.pending)],
            ["Delivered", count(channel.delivered)],
            ["Given up", <span class={channel.failed > 0 ? "tone-danger" : undefined}>{count(channel.failed)}</span>],
          ]}
        />
        {channel.last_error && <p class="channel-error"><b>Last error</b> {channel.last_error}</p>}
        <Layers channel={channel} />
      </div>
    </section>
  );
}

function Layers({ channel }: { channel: Channel }) {
  return (
    <details class="definition">
      <summary><span class="definition-ask">Who decides</span></summary>
      <p>The first layer that says something decides.</p>
      <ol class="layers">
        {channel.layers.map((layer) => (
          <li key={layer.layer} class={layer.decides ? "layer layer-decides" : "layer"}>
            <span>{layerWords(layer.layer)}</span>
            <span>{layerValue(layer.value)}</span>
            {layer.decides && <Badge tone="accent">decides</Badge>}
          </li>
        ))}
      </ol>
    </details>
  );
}
