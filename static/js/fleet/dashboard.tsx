/** Everything about the fleet on one page. */

import { ago, count, day } from "../charts/format.ts";
import { Definition } from "../charts/figure.tsx";
import { EmptyState } from "../components/empty.tsx";
import { CopyButton } from "../components/button.tsx";
import { PageHeader } from "../components/page_header.tsx";
import { Adoption } from "./adoption.tsx";
import { Distributions } from "./distributions.tsx";
import { Few } from "./few.tsx";
import { UpgradeLag } from "./lag.tsx";
import { Received } from "./received.tsx";
import { ByDay, ByWeek } from "./series.tsx";
import { Upload } from "./upload.tsx";
import type { FleetNumbers, Tile } from "./shapes.ts";

export function Dashboard({ numbers, reload }: { numbers: FleetNumbers; reload: () => void }) {
  const inside = numbers.counters !== undefined;
  return (
    <>
      <PageHeader title="Fleet" lede={<Freshness numbers={numbers} />} />
      {numbers.heard_until === null ? <NothingYet /> : (
        <>
          <ul class="tiles insight-tiles">{numbers.tiles.map((tile) => <OneTile key={tile.key} tile={tile} smallest={numbers.smallest} />)}</ul>
          <ByDay numbers={numbers} />
          <Adoption numbers={numbers} />
          <div class="fleet-pair">
            <ByWeek numbers={numbers} />
            <UpgradeLag numbers={numbers} />
          </div>
          <Distributions numbers={numbers} />
          {numbers.counters && <Received counters={numbers.counters} />}
        </>
      )}
      {inside && <Upload done={reload} />}
      <p class="page-foot muted">
        Days and weeks are counted in UTC. An installation is a random identifier that a platform made for itself.
        {numbers.smallest !== undefined && <> Numbers under {numbers.smallest} are not shown, nor what they could be worked out from.</>}
      </p>
    </>
  );
}

function Freshness({ numbers }: { numbers: FleetNumbers }) {
  if (numbers.heard_until === null) return <>No ping has come yet.</>;
  // The collector knows the hour of the last ping, not its minute.
  const since = ago(numbers.heard_until, Date.parse(numbers.now));
  const hour = `${numbers.heard_until.slice(11, 16)} UTC`;
  return <>Platforms that send the core ping here. The last one came in the hour from {day(numbers.heard_until.slice(0, 10))}, {hour} ({since}).</>;
}

function OneTile({ tile, smallest }: { tile: Tile; smallest: number | undefined }) {
  return (
    <li class="tile">
      <h2 class="tile-label">{tile.label}</h2>
      <p class="tile-value"><Few value={tile.value} smallest={smallest} /></p>
      <Definition lead={tile.n === null ? `n < ${smallest ?? 10}` : `n = ${count(tile.n)}`} text={tile.definition} />
    </li>
  );
}

function NothingYet() {
  const setting = `telemetry:\n  url: ${new URL("ping", document.baseURI).href}`;
  return (
    <section class="card">
      <EmptyState title="No ping yet" icon="insights">
        <p>Point an installation here in its <code>flowforge.yml</code> and start it again. It sends its first ping 30 seconds after it has started, once it is set up; <code>flowforge telemetry send</code> sends one at once.</p>
        <div class="setting"><pre><code>{setting}</code></pre><CopyButton text={setting} /></div>
        <p>To see this page with made-up numbers: <code>flowforge collector demo</code>.</p>
      </EmptyState>
    </section>
  );
}
