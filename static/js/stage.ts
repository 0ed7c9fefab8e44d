// What the router shows: views, skeletons when loading takes noticeably long, failures.

import type { Api } from "./api.ts";
import { draw, focusView, type Screen } from "./app.tsx";
import type { Boot } from "./boot.ts";
import { toast } from "./components/toast.tsx";
import { routes, virtualRoutes, type RouteName } from "./generated/routes.ts";
import { ModuleMissing, type Loaded, type Loading } from "./loading.ts";
import type { PageContext } from "./page.ts";
import type { Session } from "./session.ts";
import type { Router, Visit } from "./visit.ts";

const PRODUCT = "FlowForge";
const SKELETON_MS = 400;

export interface StageOptions {
  page: Document;
  api: Api;
  session: Session;
  loading: Loading;
  /** Whether the last session was ended by the server. */
  ended(): boolean;
  router(): Router;
}

export interface Stage {
  render(visit: Visit<RouteName>, view: Loaded, how: "visit" | "update"): void;
  fail(visit: Visit<RouteName>, error: unknown): void;
  waiting(visit: Visit<RouteName> | null): void;
  /** Draws again, when the facts have changed. */
  redraw(): void;
}

export function createStage({ page, api, session, loading, ended, router }: StageOptions): Stage {
  const root = page.getElementById("app") as HTMLElement;
  root.replaceChildren();
  let shown: Screen | null = null;
  let drawn: Screen | null = null;
  let title = "";
  let boot = session.boot;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let position = { left: 0, top: 0 };

  function put(screen: Screen): void {
    drawn = screen;
    draw(root, { screen, title, boot }, api, session);
  }

  function name(visit: Visit<RouteName>, own: string | undefined): void {
    const usual = [...routes, ...virtualRoutes].find((route) => route.name === visit.route)?.title;
    title = own ?? usual ?? PRODUCT;
    page.title = `${title} · ${PRODUCT}`;
  }

  function skeleton({ route, params }: Visit<RouteName>): void {
    if (drawn?.kind !== "skeleton") position = { left: scrollX, top: scrollY };
    put({ kind: "skeleton", place: { route, params }, page: loading.known(route) });
    scrollTo(0, 0);
  }

  /** Where nothing new comes (a visit called off), what was there comes back. */
  function comeBack(): void {
    if (!shown || drawn?.kind !== "skeleton" || page.documentElement.hasAttribute("data-waiting")) return;
    put(shown);
    scrollTo(position);
  }

  function context(visit: Visit<RouteName>): PageContext {
    return {
      get user() {
        return session.boot.user;
      },
      get boot() {
        return session.boot;
      },
      params: visit.params,
      query: new URL(visit.url).searchParams,
      api,
      session,
      get ended() {
        return ended();
      },
      toast,
      navigate: (to, options) => router().navigate(to, options),
      reload: () => router().refresh(),
      setBoot: (next: Boot) => session.setBoot(next),
    };
  }

  return {
    render(visit, { page: view, data, title: own }, how) {
      const first = shown === null;
      boot = session.boot;
      name(visit, own);
      shown = { kind: "view", id: visit.id, place: visit, page: view, data, ctx: context(visit) };
      put(shown);
      // The reader of a fresh page starts at its top.
      if (how === "visit") focusView(page, first ? "field" : "view");
    },
    fail(visit, error) {
      console.error(error);
      boot = session.boot;
      name(visit, "Not loaded");
      const retry = () => (error instanceof ModuleMissing ? location.reload() : router().retry());
      shown = { kind: "failure", place: visit, error, retry };
      put(shown);
      focusView(page, "view");
    },
    waiting(visit) {
      clearTimeout(timer);
      page.documentElement.toggleAttribute("data-waiting", visit !== null);
      if (visit) {
        if (drawn) timer = setTimeout(() => skeleton(visit), SKELETON_MS);
        else skeleton(visit);
      } else {
        queueMicrotask(comeBack);
      }
    },
    redraw() {
      boot = session.boot;
      if (drawn) put(drawn);
    },
  };
}
