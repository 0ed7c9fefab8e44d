// The facts the server wrote into the page: see "Boot facts" in docs/api.md.

export type Role = "user" | "analyst" | "admin";

export interface User {
  id: string;
  username: string;
  name: string;
  role: Role;
  telemetry_opt_out: boolean;
}

/** A switch of set-up; `locked` when the configuration has decided, `explanation` says so in a sentence. */
export interface Choice {
  value: boolean;
  locked: boolean;
  explanation: string;
}

export interface Setup {
  finished: boolean;
  step: "admin" | "options" | "finish";
  signup: boolean;
  telemetry: Choice;
  local_analytics: Choice;
}

export interface PostHogFacts {
  apikey: string;
  api_host: string;
  capture_pageview: boolean;
  transport: "relay" | "direct";
  pageleave: "route" | "exit";
  /** `ticket` is null with `transport: direct`; `person` is null when nobody is identified. */
  /** `distinct_id` null: the ticket tells a role, and the same to everybody who has it. */
  person: { distinct_id: string | null; ticket: string | null } | null;
  dev: boolean;
}

export interface TelemetryFacts {
  posthog: PostHogFacts | null;
  plausible: { domain: string; src: string } | null;
  respect: { gpc: boolean; dnt: boolean };
}

export interface Boot {
  version: string;
  base_url: string;
  user: User | null;
  csrf: string;
  setup: Setup;
  telemetry: TelemetryFacts;
}

/** Reads `<script type="application/json" id="boot">`. Throws when the shell carries none: the page cannot work. */
export function readBoot(page: Pick<Document, "getElementById">): Boot {
  const text = page.getElementById("boot")?.textContent;
  if (!text) throw new Error("The page carries no boot facts");
  return JSON.parse(text) as Boot;
}
