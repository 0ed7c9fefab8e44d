import { useEffect, useState } from "preact/hooks";

import { ApiError } from "../api.ts";
import { Brand } from "../components/brand.tsx";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { PageHeader } from "../components/page_header.tsx";
import { SkeletonHeader, SkeletonTiles } from "../components/skeleton.tsx";
import { ThemeSwitch } from "../components/theme_switch.tsx";
import { Access } from "./access.tsx";
import { ask } from "./asking.ts";
import { Dashboard } from "./dashboard.tsx";
import type { FleetNumbers, View } from "./shapes.ts";

type State = { numbers: FleetNumbers } | { error: string } | null;

export function App({ view: given }: { view: View }) {
  const [view, setView] = useState(given);
  const bare = view === "access";
  return (
    <>
      <a class="skip" href="#main">Skip to content</a>
      <div class={bare ? "frame frame-bare" : "frame fleet"}>
        <header class={bare ? "barehead" : "topbar"}>
          <Brand />
          <div class="topbar-end"><ThemeSwitch /></div>
        </header>
        <main id="main" tabIndex={-1}>
          {view === "access"
            ? <Access granted={() => setView("fleet")} />
            : <Fleet source={view === "fleet" ? "fleet.json" : "public.json"} refused={() => setView("access")} />}
        </main>
      </div>
    </>
  );
}

function Fleet({ source, refused }: { source: string; refused: () => void }) {
  const [state, setState] = useState<State>(null);
  const load = () => {
    ask<FleetNumbers>(source).then(
      (numbers) => setState({ numbers }),
      (error: unknown) => {
        if (error instanceof ApiError && error.code === "no_access") refused();
        else setState({ error: error instanceof ApiError ? error.message : "The numbers could not be read." });
      },
    );
  };
  useEffect(load, [source]);
  if (state === null) {
    return (
      <>
        <SkeletonHeader />
        <SkeletonTiles count={6} />
        <div class="card bone-figure" aria-hidden="true"><div class="bone bone-text" /><div class="bone bone-plot" /></div>
      </>
    );
  }
  if ("error" in state) {
    return (
      <>
        <PageHeader title="Fleet" />
        <Notice tone="danger" title="The fleet cannot be shown" alert>
          <p>{state.error}</p>
          <Button onClick={() => { setState(null); load(); }}>Try again</Button>
        </Notice>
      </>
    );
  }
  return <Dashboard numbers={state.numbers} reload={load} />;
}
