// Boot facts for tests: a set-up installation with nobody signed in and nothing recorded.

import type { Boot, Role, User } from "../../static/js/boot.ts";

export function user(role: Role = "user", optOut = false): User {
  return { id: `id-${role}`, username: role, name: role, role, telemetry_opt_out: optOut };
}

export function bootFacts(change: Partial<Boot> = {}): Boot {
  const choice = { value: true, locked: false, explanation: "" };
  return {
    version: "0.1.0",
    base_url: "http://x",
    user: null,
    csrf: "token",
    setup: { finished: true, step: "finish", signup: false, telemetry: choice, local_analytics: choice },
    telemetry: { posthog: null, plausible: null, respect: { gpc: true, dnt: true } },
    ...change,
  };
}

export function recordedFacts(change: Partial<Boot> = {}): Boot {
  const posthog = {
    apikey: "phc_x", api_host: "/x", capture_pageview: false, transport: "relay", pageleave: "route",
    person: { distinct_id: "u_1", ticket: "ticket" }, dev: false,
  } as const;
  return bootFacts({ telemetry: { posthog, plausible: null, respect: { gpc: true, dnt: true } }, ...change });
}
