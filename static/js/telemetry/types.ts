// The words of the browser's telemetry: types only, nothing of it is left in the bundle.

import type { PostHogFacts } from "../boot.ts";
import type { BrowserEvents, CommonProperties } from "../generated/events.ts";
import type { Visit } from "../visit.ts";

export type Person = NonNullable<PostHogFacts["person"]>;

/** `local`: the installation's own endpoint, beside a direct PostHog. */
export type Facts = PostHogFacts & { readonly local?: { readonly apikey: string; readonly api_host: string } | null };

/** Who does what is recorded. An event keeps the bearer it was captured for, however late it arrives. */
export interface Bearer {
  /** Null: nobody is identified. */
  readonly person: Person | null;
  readonly role: NonNullable<CommonProperties["role"]>;
}

/** Whom PostHog takes somebody for who is not identified, and which of their sessions this is. */
export interface Identifiers {
  readonly distinct: string;
  readonly session: string;
}

/** What was told in this page's life before the SDK had come. */
export interface Told {
  /** As `keyOf` says. */
  readonly events: Set<string>;
  /** Which they were told with, by the `distinct_id` of the person; nobody's is empty. */
  readonly identifiers: Map<string, Identifiers>;
}

/** A view that has ended; PostHog's `$prev_pageview_*` are made of it. */
export interface Ended {
  readonly view_id: string;
  readonly route_pattern: string;
  readonly total_ms: number;
  readonly scroll_depth: number;
}

interface Recorded<N extends keyof BrowserEvents> {
  readonly name: N;
  readonly uuid: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly visit: Visit;
  readonly bearer: Bearer;
  readonly properties: BrowserEvents[N] & CommonProperties;
  /** What `$prev_pageview_*` may tell of: with a leave the view itself, with a view the one before, or nothing. */
  readonly ended: Ended | null;
  /** The page goes: only a beacon still arrives. */
  readonly final: boolean;
}

export type PageEvent = Recorded<"$pageview"> | Recorded<"$pageleave">;

/** Where page events go. None of its methods throws. */
export interface Sink {
  record(event: PageEvent): void;
  /** The page may not live much longer (`final`: it goes now): hand over what is still here. */
  flush(final: boolean): void;
  /** The page is back, or the network. */
  wake(): void;
  /**
   * Nothing more is taken. `keep`: what there is is still brought to its end; `forget`: it is dropped, and what this
   * browser keeps, too.
   */
  stop(how: "keep" | "forget"): void;
}
