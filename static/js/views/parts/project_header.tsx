import type { ComponentChildren } from "preact";

import { PageHeader } from "../../components/page_header.tsx";
import { path } from "./path.ts";
import { mayEdit } from "./roles.ts";
import type { Project } from "./shapes.ts";

export type ProjectTab = "overview" | "flows" | "settings";

interface Props {
  readonly project: Project;
  readonly tab: ProjectTab;
  readonly actions?: ComponentChildren;
}

/** The head shared by the pages of a project. */
export function ProjectHeader({ project, tab, actions }: Props) {
  const base = path`/project/${project.id}`;
  const tabs = [
    { label: "Overview", href: base, current: tab === "overview" },
    { label: "Flows", href: `${base}/flows`, current: tab === "flows" },
  ];
  if (mayEdit(project.team.role)) tabs.push({ label: "Settings", href: `${base}/settings`, current: tab === "settings" });
  const crumbs = [
    { label: "Home", href: "/" },
    { label: project.team.name, href: path`/team/${project.team.id}` },
    { label: "Projects", href: path`/team/${project.team.id}/projects` },
  ];
  return <PageHeader title={project.name} crumbs={crumbs} actions={actions} tabs={tabs} />;
}
