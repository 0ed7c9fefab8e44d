import { Badge, type Tone } from "./badge.tsx";
import { Icon } from "./icon.tsx";
import { When } from "./when.tsx";

export interface RecordedEvent {
  uuid: string;
  event: string;
  timestamp: string;
  origin: string;
  properties: Readonly<Record<string, unknown>>;
  /** Where it goes, and how far it has come. */
  sinks: Readonly<Record<string, string>>;
}

const TONES: Readonly<Record<string, Tone>> = { done: "success", delivered: "success", failed: "danger", parked: "danger" };
const SINKS: Readonly<Record<string, string>> = { local: "this server", posthog: "PostHog" };
const NAMES: Readonly<Record<string, string>> = { $pageview: "Page opened", $pageleave: "Page left" };

/** Events as they are kept, each to be opened. */
export function RecordedEvents({ events }: { events: readonly RecordedEvent[] }) {
  return (
    <ul class="events">
      {events.map((event) => (
        <li key={event.uuid}>
          <details>
            <summary>
              <Icon name="right" />
              <span class="event-name">{NAMES[event.event] ?? event.event}</span>
              <span class="event-what muted">{subject(event)}</span>
              <span class="event-when muted">
                <When iso={event.timestamp} />
              </span>
            </summary>
            <div class="event-body">
              <p class="event-sinks">
                {Object.entries(event.sinks).map(([sink, state]) => (
                  <Badge key={sink} tone={TONES[state] ?? "neutral"}>
                    {SINKS[sink] ?? sink}: {state}
                  </Badge>
                ))}
              </p>
              <pre tabIndex={0}>{JSON.stringify({ event: event.event, uuid: event.uuid, timestamp: event.timestamp, properties: event.properties }, null, 2)}</pre>
            </div>
          </details>
        </li>
      ))}
    </ul>
  );
}

function subject({ properties }: RecordedEvent): string {
  const pattern = properties["route_pattern"];
  return typeof pattern === "string" ? pattern : "";
}
