import type { ComponentChildren } from "preact";

import { PageHeader } from "../../components/page_header.tsx";

export type InsightsTab = "overview" | "routes" | "live";

interface Props {
  readonly tab: InsightsTab;
  /** The range's query string, carried from tab to tab. */
  readonly query?: string;
  readonly lede?: ComponentChildren;
  readonly actions?: ComponentChildren;
}

/** The head shared by the dashboards. */
export function InsightsHeader({ tab, query = "", lede, actions }: Props) {
  return (
    <PageHeader
      title="Insights"
      lede={lede}
      actions={actions}
      tabs={[
        { label: "Overview", href: `/insights${query}`, current: tab === "overview" },
        { label: "Routes", href: `/insights/routes${query}`, current: tab === "routes" },
        { label: "Live", href: "/insights/live", current: tab === "live" },
      ]}
    />
  );
}
