/** What the API answers: docs/api.md, as types. Times are ISO 8601 in UTC; ids are opaque. */

import type { Role } from "../../boot.ts";

export type TeamRole = "owner" | "member" | "viewer";

export interface Team {
  readonly id: string;
  readonly name: string;
  readonly pseudonym: string;
  readonly role: TeamRole;
  /** Counts. */
  readonly members: number;
  readonly projects: number;
  readonly created_at: string;
}

export interface Member {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly role: TeamRole;
  readonly joined_at: string;
}

/** An invitation as the team's owner sees it. */
export interface SentInvitation {
  readonly id: string;
  readonly username: string;
  readonly role: TeamRole;
  readonly invited_by: string;
  readonly created_at: string;
}

/** An invitation as the invited user sees it. */
export interface ReceivedInvitation {
  readonly id: string;
  readonly team: { readonly id: string; readonly name: string };
  readonly role: TeamRole;
  readonly invited_by: string;
  readonly created_at: string;
}

export interface Project {
  readonly id: string;
  readonly name: string;
  readonly pseudonym: string;
  readonly team: { readonly id: string; readonly name: string; readonly pseudonym: string; readonly role: TeamRole };
  readonly flows: { readonly tabs: number; readonly nodes: number };
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Flows {
  readonly tabs: number;
  readonly nodes: number;
  readonly subflows: number;
  readonly config_nodes: number;
  readonly types: readonly { readonly type: string; readonly count: number }[];
  readonly updated_at: string | null;
}

export interface AuditEntry {
  readonly id: string;
  readonly at: string;
  /** Null when the account is gone or the platform itself acted. */
  readonly actor: string | null;
  readonly event: string;
  readonly target: string | null;
}

export interface Account {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly email: string | null;
  readonly role: Role;
  readonly telemetry_opt_out: boolean;
  readonly created_at: string;
  readonly suspended: boolean;
  readonly last_login_at: string | null;
}

export interface Setting {
  readonly key: string;
  readonly label: string;
  readonly help: string;
  readonly type: string;
  /** What is stored here, and what is in force. */
  readonly value: boolean;
  readonly effective: boolean;
  readonly locked: boolean;
  readonly decided_by: string;
  readonly explanation: string;
}

export interface AdminOverview {
  readonly version: string;
  readonly instance_id: string;
  readonly counts: { readonly users: number; readonly teams: number; readonly projects: number };
  readonly database: string;
  readonly started_at: string;
}

export interface Layer {
  readonly layer: string;
  readonly value: string | boolean | null;
  readonly decides: boolean;
}

export interface Channel {
  readonly channel: string;
  readonly label: string;
  readonly allowed: boolean;
  readonly reason: string;
  readonly decided_by: string;
  readonly layers: readonly Layer[];
  readonly last_success_at: string | null;
  /** Since the last success; an error before it is healed. */
  readonly last_error_at: string | null;
  readonly last_error: string | null;
  readonly addressed: number;
  readonly pending: number;
  readonly delivered: number;
  readonly failed: number;
  readonly abandoned: number;
}

export interface TelemetryStatus {
  readonly channels: readonly Channel[];
  readonly counts: {
    readonly accepted: number;
    readonly dropped: Readonly<Record<string, number>>;
    /** Requests refused as a whole. */
    readonly refused: Readonly<Record<string, number>>;
  };
  readonly hosts: readonly { readonly host: string; readonly why: string; readonly how_to_stop: string }[];
  readonly warnings: readonly string[];
}

export interface Days {
  readonly from: string;
  readonly to: string;
}

export interface Tile {
  readonly key: string;
  readonly label: string;
  readonly unit: "count" | "ms";
  readonly value: number | null;
  readonly previous: number | null;
  /** How many events, sessions or views the value rests on. */
  readonly n: number;
  readonly definition: string;
}

export interface Point {
  readonly day: string;
  readonly users: number;
  readonly teams: number;
  readonly sessions: number;
  readonly views: number;
  readonly previous_users: number | null;
  readonly previous_sessions: number | null;
  readonly previous_views: number | null;
}

export interface InsightsOverview {
  readonly range: Days & { readonly days: number };
  readonly previous: Days;
  readonly tiles: readonly Tile[];
  readonly series: { readonly label: string; readonly definition: string; readonly points: readonly Point[] };
  readonly fresh_until: string | null;
  /** Nothing has ever been recorded. */
  readonly empty: boolean;
  /** Demonstration data is in the store. */
  readonly demo?: boolean;
}

export interface RouteRow {
  readonly route: string;
  readonly title: string;
  readonly views: number;
  readonly previous_views: number | null;
  readonly users: number;
  readonly teams: number;
  readonly engaged_median_ms: number | null;
  readonly engaged_p75_ms: number | null;
  readonly entry_ratio: number | null;
  readonly exit_ratio: number | null;
  readonly load_p75_ms: number | null;
}

export interface InsightsRoutes {
  readonly range: Days & { readonly days: number };
  readonly previous: Days;
  /** The first day of `previous` on which anything was recorded; null: none. */
  readonly recorded_since: string | null;
  readonly definition: string;
  readonly rows: readonly RouteRow[];
  readonly empty: boolean;
  readonly demo?: boolean;
}

export interface LiveEvent {
  readonly uuid: string;
  readonly event: string;
  readonly route: string | null;
  readonly title: string | null;
  readonly nav_type: string | null;
  readonly at: string;
  readonly received_at: string;
  readonly role: string | null;
  readonly browser: string | null;
  readonly origin: string;
}

export interface InsightsLive {
  readonly now: string;
  readonly users_now: number;
  readonly minutes: readonly { readonly minute: string; readonly views: number; readonly users: number }[];
  readonly events: readonly LiveEvent[];
  readonly empty: boolean;
  readonly demo?: boolean;
}
