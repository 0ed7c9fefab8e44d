// A browser small enough to hold in the head: entries of history, an address, a paint that comes when told to.

import { createAnnouncer } from "../../static/js/announcer.ts";
import { compile } from "../../static/js/matching.ts";
import { createRouter, Instead, Redirect } from "../../static/js/router.ts";
import type { Environment, RouteDef, RouteMatch, Subjects, Verdict, Visit } from "../../static/js/visit.ts";

export const ROUTES: readonly RouteDef[] = [
  { name: "home", pattern: "/", title: "Home", who: "user", when: null },
  { name: "team", pattern: "/team/:team", title: "Team", who: "user", when: null },
  { name: "team_create", pattern: "/team/create", title: "New team", who: "user", when: null },
  { name: "members", pattern: "/team/:team/members", title: "Members", who: "user", when: null },
  { name: "admin", pattern: "/admin", title: "Admin", who: "admin", when: null },
  { name: "old", pattern: "/old", title: "Old", who: "user", when: null },
  { name: "insights", pattern: "/insights", title: "Insights", who: "user", when: null },
];
export const VIRTUAL = [
  { name: "login", pattern: "/login", title: "Sign in" },
  { name: "not_found", pattern: "/not_found", title: "Not found" },
];

interface Entry {
  url: string;
  state: unknown;
}

type Handler = (event: { persisted?: boolean }) => void;

export class FakeBrowser {
  entries: Entry[];
  index = 0;
  time = 0;
  paints: (() => void)[] = [];
  handlers: Record<string, Handler[]> = { popstate: [], pagehide: [], pageshow: [] };
  ids = 0;
  loadType: Environment["loadType"] = "load";

  constructor(url: string) {
    this.entries = [{ url, state: null }];
  }

  get entry(): Entry {
    return this.entries[this.index] as Entry;
  }

  get path(): string {
    return this.entry.url.replace("http://x", "");
  }

  paint(): void {
    for (const callback of this.paints.splice(0)) callback();
  }

  go(by: number): void {
    this.index += by;
    this.fire("popstate");
  }

  fire(type: string, event: { persisted?: boolean } = {}): void {
    for (const handler of this.handlers[type] ?? []) handler(event);
  }

  environment(): Environment {
    const self = this;
    return {
      history: {
        get state() {
          return self.entry.state;
        },
        pushState(state: unknown, _: string, url?: string | URL | null) {
          self.entries = [...self.entries.slice(0, self.index + 1), { url: String(url ?? self.entry.url), state }];
          self.index += 1;
        },
        replaceState(state: unknown, _: string, url?: string | URL | null) {
          self.entries[self.index] = { url: String(url ?? self.entry.url), state };
        },
      },
      location: {
        get href() {
          return self.entry.url;
        },
      },
      on: (type, listener) => self.handlers[type]?.push(listener),
      now: () => self.time,
      uuid: () => `id${(self.ids += 1)}`,
      afterPaint: (callback) => self.paints.push(callback),
      loadType: this.loadType,
    };
  }
}

interface View {
  name: string;
  subjects?: Subjects;
}

interface Load {
  path: string;
  signal: AbortSignal;
  done(view?: Partial<View>): Promise<void>;
  fail(error: unknown): Promise<void>;
}

/** A router in a fake browser: what it rendered and announced stands in `log`, what it loads waits in `loads`. */
export class Scene {
  browser: FakeBrowser;
  log: string[] = [];
  states: string[] = [];
  visits: Visit[] = [];
  loads: Load[] = [];
  scrolled: string[] = [];
  saved: string[] = [];
  waiting: (string | null)[] = [];
  signedIn = true;
  renderFails = false;
  announcer = createAnnouncer();
  router;

  constructor(url = "http://x/", change: (scene: Scene) => void = () => undefined) {
    this.browser = new FakeBrowser(url);
    change(this);
    this.announcer.listen({
      enter: (visit) => {
        this.visits.push(visit);
        this.log.push(`enter ${this.name(visit)} ${visit.navType} from ${visit.from ?? "-"}`);
      },
      leave: (visit, leave) => this.log.push(`leave ${this.name(visit)} ${leave.reason} to ${leave.to ?? "-"}`),
      update: (visit) => this.log.push(`update ${visit.url.replace("http://x", "")}`),
    });
    this.router = createRouter<string, View>({
      match: compile(ROUTES),
      virtual: VIRTUAL,
      notFound: "not_found",
      guard: (match) => this.guard(match),
      load: (visit, signal) => this.load(visit, signal),
      render: (_visit, view, how) => {
        if (this.renderFails) throw new Error("render");
        this.log.push(`${how === "visit" ? "render" : "renew"} ${view.name}`);
      },
      fail: (visit, error) => this.log.push(`fail ${this.name(visit)}: ${(error as Error).message}`),
      waiting: (visit) => this.waiting.push(visit && visit.route),
      scroll: {
        save: (key) => this.saved.push(key),
        restore: (key, hash) => this.scrolled.push(`restore ${key}${hash}`),
        to: (hash) => this.scrolled.push(hash || "top"),
      },
      announce: this.announcer,
      environment: this.browser.environment(),
      trace: (visit) => this.states.push(`${visit.route} ${visit.state}`),
    });
  }

  name(visit: Visit): string {
    return visit.params["team"] ? `${visit.route}:${visit.params["team"]}` : visit.route;
  }

  guard(match: RouteMatch): Verdict<string> | null {
    if (!this.signedIn) return { instead: "login" };
    if (match.route === "admin") return { instead: "not_found" };
    if (match.route === "old") return { redirect: "/team/a" };
    return null;
  }

  load(visit: Visit, signal: AbortSignal): Promise<View> {
    const path = visit.url.replace("http://x", "");
    return new Promise((resolve, reject) => {
      const settled = () => new Promise<void>((tick) => setImmediate(tick));
      this.loads.push({
        path,
        signal,
        done: (view) => (resolve({ name: this.name(visit), ...view }), settled()),
        fail: (error) => (reject(error), settled()),
      });
    });
  }

  /** The newest load. */
  get loading(): Load {
    return this.loads.at(-1) as Load;
  }

  /** Lets the newest load succeed and paints. */
  async arrive(view?: Partial<View>): Promise<void> {
    await this.loading.done(view);
    this.browser.paint();
  }

  /** What has been logged since the last time. */
  take(): string[] {
    return this.log.splice(0);
  }

  static async at(url: string, change?: (scene: Scene) => void): Promise<Scene> {
    const scene = new Scene(url, change);
    scene.router.start();
    await scene.arrive();
    scene.take();
    scene.scrolled = [];
    return scene;
  }
}

export { Instead, Redirect };
