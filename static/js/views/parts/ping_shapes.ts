/** What the core ping's console answers: docs/api.md, as types. */

import type { Layer } from "./shapes.ts";

export type FieldValue = string | number | boolean | null;

export interface PingField {
  /** Dotted, as in the payload. */
  readonly path: string;
  readonly type: string;
  readonly values: readonly string[];
  readonly why: string;
  readonly since: string;
  readonly owner: string;
  /** The version of the plan that added it. */
  readonly plan: number;
  /** False: it waits until an administrator has seen it. */
  readonly sent: boolean;
  /** What it would say now; null where that does not fit its type, so that it is left out. */
  readonly value: FieldValue;
}

export interface PingPlan {
  readonly version: number;
  readonly accepted: number;
  readonly fields: readonly PingField[];
  readonly envelope: readonly { readonly path: string; readonly type: string; readonly why: string }[];
  readonly waiting: readonly PingField[];
}

export interface PingRow {
  readonly seq: number;
  readonly period: string;
  readonly made_at: string;
  readonly outcome: string;
  readonly attempts: number;
  /** The HTTP status of the last answer; null without one. */
  readonly status: number | null;
  readonly error: string | null;
  readonly receipt: string | null;
  readonly bytes: number;
}

export interface SentPing extends PingRow {
  readonly url: string;
  readonly sha256: string;
  readonly finished_at: string | null;
  readonly body: string;
  readonly answer: string | null;
}

export interface PingDecision {
  readonly allowed: boolean;
  readonly reason: string;
  readonly decided_by: string;
  readonly explanation: string;
  readonly layers: readonly Layer[];
}

export interface PingConsole {
  readonly decision: PingDecision;
  readonly url: string;
  readonly plan: PingPlan;
  readonly preview: { readonly body: string; readonly bytes: number; readonly left_out: readonly string[] };
  /** Null while the ping is off, and where several processes share the work. */
  readonly next_due: string | null;
  /** Newest first, at most 30. */
  readonly history: readonly PingRow[];
}

export interface Revealed {
  readonly instance_id: string;
  readonly secret: string;
  readonly url: string;
  /** Lines for a terminal. */
  readonly show: string;
  readonly erase: string;
}
