import { Card } from "../../components/card.tsx";
import { LinkButton } from "../../components/button.tsx";
import { EmptyState } from "../../components/empty.tsx";
import { Notice } from "../../components/notice.tsx";
import type { PageContext } from "../../page.ts";
import { usePolling } from "./polling.ts";

const EVERY_MS = 2000;

/** This installation keeps no analytics: what to switch on, and who can. */
export function AnalyticsOff({ ctx }: { ctx: PageContext }) {
  const admin = ctx.user?.role === "admin";
  return (
    <Card>
      <EmptyState
        title="Usage analytics on this server is off"
        icon="insights"
        action={admin && <LinkButton kind="primary" href="/admin/settings">Open Admin Settings</LinkButton>}
      >
        <p>
          {admin ? (
            <>
              Switch on “Usage analytics on this server” in Admin Settings, or
              set <code>telemetry.frontend.local.enabled: true</code> in flowforge.yml.
            </>
          ) : "An administrator can switch it on in Admin Settings."}
        </p>
        <p>Events then stay in this installation's own store; nothing leaves the server for it. Numbers begin with the day it is switched on.</p>
      </EmptyState>
    </Card>
  );
}

/** Nothing has been recorded yet: what to do, and a wait that ends by itself. */
export function FirstEvent({ ctx }: { ctx: PageContext }) {
  usePolling(null, async () => {
    await ctx.reload();
    return null;
  }, EVERY_MS, true);
  return (
    <Card>
      <EmptyState title="Waiting for the first event" icon="insights" action={<LinkButton href="/">Go to Home</LinkButton>}>
        <p class="waiting" role="status"><span class="pulse" aria-hidden="true" />Listening. This page fills by itself.</p>
        <p>
          Walk through a few pages, in this browser or another: Home, a team, a project. Your own visits count too,
          unless you have opted out or your browser asks not to be tracked.
        </p>
      </EmptyState>
    </Card>
  );
}

/** Invented events are mixed with real ones: said wherever numbers are shown. */
export function DemoNotice() {
  return (
    <Notice tone="accent">
      <p>These numbers include demonstration data. <code>flowforge demo --remove</code> takes it out again.</p>
    </Notice>
  );
}

/** There are events, but none on these days. */
export function NothingHere() {
  return (
    <Card>
      <EmptyState title="Nothing was recorded on these days" icon="insights">
        <p>Choose other days above. Numbers begin with the day usage analytics was switched on.</p>
      </EmptyState>
    </Card>
  );
}
