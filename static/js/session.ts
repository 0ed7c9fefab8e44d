// Who is signed in, as the page knows it. Telemetry listens here as it listens to the router.

import type { Boot } from "./boot.ts";

/**
 * Told in this order.
 * Logout: `willLogout` (the router has already announced the leave of the current view; the request is not yet sent),
 * `didLogout` with the new facts, then the router enters the login view (navType `logout`). If the request fails,
 * `didLogout` is not told and the router enters the view again.
 * Login: `didLogin` with the new facts, then the router leaves the login view and enters what it stood for.
 * A session that ended on the server is told as `willLogout` and `didLogout` too.
 * Privacy: `didChangePrivacy` with the new facts (`boot.user.telemetry_opt_out`); after opting back in the router
 * enters the current view as a new visit (navType `opt_in`).
 */
export interface SessionListener {
  willLogout?(): void;
  didLogout?(boot: Boot): void;
  didLogin?(boot: Boot): void;
  didChangePrivacy?(boot: Boot): void;
}

/** The part of the session that telemetry may use. */
export interface SessionAnnouncer {
  /** The facts in force now. */
  readonly boot: Boot;
  listen(listener: SessionListener): () => void;
}
