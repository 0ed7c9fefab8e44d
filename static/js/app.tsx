// What is on the page, drawn from the top whenever it changes.

import { render } from "preact";

import type { Api } from "./api.ts";
import type { Boot } from "./boot.ts";
import { Failure } from "./components/failure.tsx";
import { Layout, type Place } from "./components/layout.tsx";
import { SkeletonPage } from "./components/skeleton.tsx";
import type { PageContext } from "./page.ts";
import type { AnyPage } from "./pages.ts";
import type { Session } from "./session.ts";

export type Screen = { readonly place: Place } & (
  | { readonly kind: "view"; readonly id: string; readonly page: AnyPage; readonly data: unknown; readonly ctx: PageContext }
  | { readonly kind: "skeleton"; readonly page: AnyPage | undefined }
  | { readonly kind: "failure"; readonly error: unknown; retry(): void }
);

export interface AppState {
  readonly screen: Screen;
  readonly title: string;
  readonly boot: Boot;
}

/** Draws at once. Throws what a view throws. */
export function draw(root: Element, state: AppState, api: Api, session: Session): void {
  const { screen, boot, title } = state;
  render(
    <Layout boot={boot} api={api} session={session} place={screen.place} title={title} busy={screen.kind === "skeleton"}>
      <Content screen={screen} />
    </Layout>,
    root,
  );
}

function Content({ screen }: { screen: Screen }) {
  if (screen.kind === "failure") return <Failure error={screen.error} retry={screen.retry} />;
  if (screen.kind === "skeleton") {
    const Skeleton = screen.page?.Skeleton ?? SkeletonPage;
    return <Skeleton />;
  }
  const { View } = screen.page;
  return <View key={screen.id} data={screen.data} ctx={screen.ctx} />;
}

/** Moves the reader to the field that waits for input, if there is one; with `view`, else to the new view's heading. */
export function focusView(page: Document, which: "field" | "view"): void {
  const main = page.getElementById("main");
  const field = main?.querySelector<HTMLElement>("[data-autofocus]");
  const heading = which === "view" ? (main?.querySelector<HTMLElement>("h1") ?? main) : null;
  (field ?? heading)?.focus({ preventScroll: true });
}
