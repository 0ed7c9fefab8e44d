/** What the collector answers: `fleet.json`, and `public.json` where `null` stands for "fewer than `smallest`". */

export type View = "fleet" | "public" | "access";

export interface Tile {
  readonly key: string;
  readonly label: string;
  readonly value: number | null;
  readonly n: number | null;
  readonly definition: string;
}

export interface DayPoint {
  readonly day: string;
  readonly active: number | null;
  readonly new: number | null;
}

export interface WeekPoint {
  readonly week: string;
  readonly active: number | null;
  readonly new: number | null;
}

export interface AdoptionPoint {
  readonly day: string;
  readonly version: string;
  readonly n: number;
}

export interface Share {
  readonly value: string;
  readonly n: number;
}

export interface Distribution {
  readonly key: string;
  readonly label: string;
  readonly definition: string;
  readonly n: number | null;
  readonly values: readonly Share[];
  /** How many values are left out; only in `public.json`. */
  readonly hidden?: number;
}

export interface LagRow {
  readonly version: string;
  readonly first_heard: string | null;
  readonly n: number;
  readonly p50_days: number | null;
  readonly p90_days: number | null;
}

export interface Lag {
  readonly definition: string;
  readonly n: number | null;
  readonly p50_days: number | null;
  readonly p90_days: number | null;
  readonly versions: readonly LagRow[];
}

export interface Counters {
  readonly taken: number;
  readonly repeated: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly unknown_fields: Readonly<Record<string, number>>;
}

export interface FleetNumbers {
  readonly now: string;
  readonly heard_until: string | null;
  /** The day and the week (its Monday) that tiles and distributions speak of. */
  readonly last_day: string;
  readonly last_week: string;
  readonly complete: { readonly day: boolean; readonly week: boolean };
  readonly smallest?: number;
  readonly tiles: readonly Tile[];
  readonly series: { readonly definition: string; readonly points: readonly DayPoint[] };
  readonly weeks: { readonly definition: string; readonly points: readonly WeekPoint[] };
  readonly adoption: { readonly definition: string; readonly points: readonly AdoptionPoint[] };
  readonly distributions: readonly Distribution[];
  readonly lag: Lag;
  readonly counters?: Counters;
}

/** The collector's answer to one ping of a bundle. */
export interface BundleAnswer {
  readonly status: number;
  readonly receipt?: string;
  readonly error?: string;
}
