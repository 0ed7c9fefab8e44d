// From a visit to a view with its data.

import { ApiError, type Api } from "./api.ts";
import type { RouteName } from "./generated/routes.ts";
import { pages, type AnyPage } from "./pages.ts";
import { Instead } from "./router.ts";
import type { Session } from "./session.ts";
import type { Params, Subjects } from "./visit.ts";

export interface Loaded {
  readonly page: AnyPage;
  readonly data: unknown;
  readonly title: string | undefined;
  readonly subjects?: Subjects;
}

/** What is to be loaded: a route at an address. */
export interface Target {
  readonly route: RouteName;
  readonly params: Params;
  readonly url: string;
}

/** The module of a view could not be fetched: the build it belongs to may be gone. Only a fresh page helps. */
export class ModuleMissing extends Error {}

export interface Loading {
  load(target: Target, signal: AbortSignal): Promise<Loaded>;
  /** The view's module if it has been fetched before. */
  known(route: RouteName): AnyPage | undefined;
}

export function createLoading(api: Api, session: Session): Loading {
  const modules = new Map<RouteName, AnyPage>();

  async function pageOf(route: RouteName): Promise<AnyPage> {
    const known = modules.get(route);
    if (known) return known;
    const page = await pages[route]().catch((error: unknown) => {
      throw new ModuleMissing("The view could not be fetched", { cause: error });
    });
    modules.set(route, page);
    return page;
  }

  async function load({ route, params, url }: Target, signal: AbortSignal): Promise<Loaded> {
    const page = await pageOf(route);
    const { boot } = session;
    const query = new URL(url).searchParams;
    try {
      const data: unknown = await page.load({ params, query, api, signal, user: boot.user, boot });
      const subjects = page.subjects?.(data);
      return { page, data, title: page.title?.(data), ...(subjects && { subjects }) };
    } catch (error) {
      throw await understood(error);
    }
  }

  async function understood(error: unknown): Promise<unknown> {
    if (!(error instanceof ApiError)) return error;
    // What is not there and what is not theirs look the same.
    if (error.code === "not_found" || error.code === "forbidden") return new Instead<RouteName>("not_found");
    // The login view is on its way, and will call this visit off.
    if (error.code === "not_signed_in" && session.boot.user) await session.ended();
    return error;
  }

  return { load, known: (route) => modules.get(route) };
}
