// Who is signed in, as the page knows it. Telemetry listens here as it listens to the router.

import type { Api } from "./api.ts";
import type { Boot } from "./boot.ts";

/**
 * Told in this order.
 * Logout: the router announces the leave of the current view, `willLogout`, the request is sent, `didLogout` with the
 * new facts, the router enters the login view (navType `logout`). If the request fails, `didLogout` is not told and
 * the router enters the view again, unless the person went on. A session that ended on the server goes the same way.
 * Login: `didLogin` with the new facts, then the router leaves the login view and enters what follows (navType
 * `login`).
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
  /** Returns the function that stops listening. */
  listen(listener: SessionListener): () => void;
}

export interface Session extends SessionAnnouncer {
  /** Rejects with `ApiError` when the server refuses. */
  login(username: string, password: string): Promise<void>;
  register(values: object): Promise<void>;
  /** Puts facts in force that signed somebody in (set-up); `to` is where to go, the present address without it. */
  signedIn(boot: Boot, to?: string): void;
  logout(): Promise<void>;
  /** The server no longer knows the session. */
  ended(): Promise<void>;
  /** Facts after a change of the account's privacy choice. */
  changedPrivacy(boot: Boot): void;
  /** Changed facts that concern neither identity nor privacy. */
  setBoot(boot: Boot): void;
}

/** What the session needs of the router and the page. */
export interface SessionHost {
  api: Api;
  /** Announces the leave of the current view, once. */
  leaving(reason: "logout" | "visit"): void;
  /** Shows what the facts in force allow at `to` (default: the present address). */
  revisit(navType: "login" | "logout", to?: string): void;
  /** Enters the current view again as a new visit, if it was left. */
  again(navType: "opt_in" | "replace"): void;
  /** Tells the page that the facts have changed. */
  changed(before: Boot, now: Boot): void;
}

export function createSession(first: Boot, host: SessionHost): Session {
  let boot = first;
  let ending: Promise<void> | null = null;
  const listeners = new Set<SessionListener>();

  function tell(call: (listener: SessionListener) => void): void {
    for (const listener of [...listeners]) {
      try {
        call(listener);
      } catch (error) {
        console.error(error);
      }
    }
  }

  function put(next: Boot): void {
    const before = boot;
    boot = next;
    host.changed(before, next);
  }

  function signedIn(next: Boot, to?: string): void {
    put(next);
    tell((listener) => listener.didLogin?.(next));
    host.revisit("login", to);
  }

  function signedOut(next: Boot, to?: string): void {
    put(next);
    tell((listener) => listener.didLogout?.(next));
    host.revisit("logout", to);
  }

  async function end(): Promise<void> {
    if (!boot.user) return;
    const user = boot.user;
    host.leaving("logout");
    tell((listener) => listener.willLogout?.());
    // The address stays, so that signing in again leads back to it.
    const { csrf } = await host.api.get<{ csrf: string }>("csrf").catch(() => ({ csrf: boot.csrf }));
    if (boot.user?.id === user.id) signedOut(withoutUser(boot, csrf));
  }

  return {
    get boot() {
      return boot;
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async login(username, password) {
      const answer = await host.api.post<{ boot: Boot }>("/account/login", { username, password });
      signedIn(answer.boot);
    },
    async register(values) {
      const answer = await host.api.post<{ boot: Boot }>("/account/register", values);
      signedIn(answer.boot, "/");
    },
    signedIn,
    async logout() {
      host.leaving("logout");
      tell((listener) => listener.willLogout?.());
      try {
        const answer = await host.api.post<{ boot: Boot }>("/account/logout");
        signedOut(answer.boot, "/");
      } catch (error) {
        host.again("replace");
        throw error;
      }
    },
    ended() {
      ending ??= end().finally(() => (ending = null));
      return ending;
    },
    changedPrivacy(next) {
      const optsIn = boot.user?.telemetry_opt_out === true && next.user?.telemetry_opt_out === false;
      // The stay until now was not recorded and must not be: it ends while nobody may listen.
      if (optsIn) host.leaving("visit");
      put(next);
      tell((listener) => listener.didChangePrivacy?.(next));
      if (optsIn) host.again("opt_in");
    },
    setBoot: put,
  };
}

/** The facts of the same page with nobody signed in. */
function withoutUser(boot: Boot, csrf: string): Boot {
  const { posthog } = boot.telemetry;
  return {
    ...boot,
    csrf,
    user: null,
    telemetry: { ...boot.telemetry, posthog: posthog && { ...posthog, person: null } },
  };
}
