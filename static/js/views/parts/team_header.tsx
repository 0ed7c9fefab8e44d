import type { ComponentChildren } from "preact";

import { PageHeader } from "../../components/page_header.tsx";
import { path } from "./path.ts";
import { mayManage } from "./roles.ts";
import type { Team } from "./shapes.ts";

export type TeamTab = "overview" | "projects" | "members" | "settings";

interface Props {
  readonly team: Team;
  readonly tab: TeamTab;
  readonly actions?: ComponentChildren;
}

/** The head shared by the pages of a team; `team` carries the reader's own role. */
export function TeamHeader({ team, tab, actions }: Props) {
  const base = path`/team/${team.id}`;
  const tabs = [
    { label: "Overview", href: base, current: tab === "overview" },
    { label: "Projects", href: `${base}/projects`, current: tab === "projects" },
    { label: "Members", href: `${base}/members`, current: tab === "members" },
  ];
  if (mayManage(team.role)) tabs.push({ label: "Settings", href: `${base}/settings`, current: tab === "settings" });
  return <PageHeader title={team.name} crumbs={[{ label: "Home", href: "/" }]} actions={actions} tabs={tabs} />;
}
