// What a view module exports by default. `pages.ts` maps a route to its module.

import type { ComponentType } from "preact";

import type { Api } from "./api.ts";
import type { Boot, User } from "./boot.ts";
import type { Params, Subjects } from "./router.ts";
import type { Session } from "./session.ts";

export interface LoadContext {
  params: Params;
  query: URLSearchParams;
  api: Api;
  /** Aborted when a newer visit wins; hand it to every request. */
  signal: AbortSignal;
  user: User | null;
  boot: Boot;
}

export interface NavigateOptions {
  /** Replace the history entry instead of adding one. */
  replace?: boolean;
  /** `false`: a change of query or hash keeps the data that is shown (state of the view, not of the data). */
  load?: boolean;
  /** `false`: leave the scroll position alone. Default: top, or the hash's element; unchanged for query changes. */
  scroll?: boolean;
}

export type ToastKind = "info" | "success" | "error";

export interface PageContext {
  /** Null only in views that a signed-out visitor sees. */
  user: User | null;
  boot: Boot;
  params: Params;
  query: URLSearchParams;
  api: Api;
  session: Session;
  /** Whoever was signed in last did not sign out: the server ended it. */
  ended: boolean;
  /** `to` is a path (`/team/x`), a query (`?from=...`) or a hash. */
  navigate(to: string, options?: NavigateOptions): void;
  /** Loads the data again and renders it; no visit, nothing is announced. Rejects when `load` does. */
  reload(): Promise<void>;
  toast(message: string, kind?: ToastKind): void;
  /** Puts changed facts in force (a profile's name, a setting); login and logout go through `session`. */
  setBoot(boot: Boot): void;
}

/**
 * A view. `load` may throw an `ApiError` (404 shows the not-found view, 401 the login view, others the error view with
 * "Try again"), a `Redirect` of router.ts, or an `AbortError`. `title` is the part before the product's name; without
 * it the route table's title is used. `subjects` are pseudonyms, never ids.
 */
export interface Page<D = unknown> {
  load(context: LoadContext): Promise<D>;
  View: ComponentType<{ data: D; ctx: PageContext }>;
  title?(data: D): string;
  subjects?(data: D): Subjects;
  /** Shape of the coming layout, shown when loading takes noticeably long. */
  Skeleton?: ComponentType;
}

/** Lets TypeScript infer the data's type: `export default definePage({ load, View, ... })`. */
export function definePage<D>(page: Page<D>): Page<D> {
  return page;
}
