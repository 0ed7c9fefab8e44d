import { useState } from "preact/hooks";

import { clockTime } from "../../charts/format.ts";
import { Badge } from "../../components/badge.tsx";
import { Card } from "../../components/card.tsx";
import { EmptyState } from "../../components/empty.tsx";
import type { LiveEvent } from "./shapes.ts";

interface Props {
  readonly events: readonly LiveEvent[];
  /** Rows that appear from now on are new, not merely drawn for the first time. */
  readonly fresh: boolean;
  readonly paused: boolean;
}

/** Events as they arrive, newest first. */
export function EventStream({ events, fresh, paused }: Props) {
  return (
    <Card title="Events" lede={paused ? "Paused." : "The newest first, at most a hundred."} flush>
      {events.length === 0 ? <EmptyState title="Quiet for 30 minutes"><p>New events appear here by themselves.</p></EmptyState> : (
        <ol class="list list-dense stream">
          {events.map((event) => <StreamRow key={event.uuid} event={event} fresh={fresh} />)}
        </ol>
      )}
    </Card>
  );
}

function StreamRow({ event, fresh }: { event: LiveEvent; fresh: boolean }) {
  // What a row was when it came decides; later events must not make it new again.
  const [arrived] = useState(fresh);
  const about = [event.nav_type && navigation(event.nav_type), event.role, event.browser].filter(Boolean).join(" · ");
  return (
    <li class={arrived ? "list-row stream-row stream-new" : "list-row stream-row"}>
      <time class="stream-time" dateTime={event.at}>{clockTime(event.at)}</time>
      <span class="list-main">
        <span class="list-title">{sentence(event)}</span>
        <span class="muted">{about}</span>
      </span>
      {event.origin === "server" && <Badge>Server</Badge>}
    </li>
  );
}

function sentence({ event, title, route }: LiveEvent): string {
  const page = title ?? route ?? "a page";
  if (event === "$pageview") return `Viewed ${page}`;
  if (event === "$pageleave") return `Left ${page}`;
  return event.charAt(0).toUpperCase() + event.slice(1);
}

const NAVIGATION: Readonly<Record<string, string>> = {
  load: "opened", reload: "reloaded", back_forward: "back or forward", push: "by link", replace: "by link",
  pop: "back or forward", bfcache: "back or forward", login: "after sign-in", logout: "after sign-out", opt_in: "after opting in",
};

function navigation(type: string): string {
  return NAVIGATION[type] ?? type;
}
