import { count } from "../charts/format.ts";
import { LinkButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { SkeletonHeader, SkeletonTable, SkeletonTiles } from "../components/skeleton.tsx";
import { StatTile, StatTiles } from "../components/stat_tile.tsx";
import { definePage } from "../page.ts";
import { AuditList } from "./parts/audit_list.tsx";
import { NoProjects } from "./parts/no_projects.tsx";
import { param, path } from "./parts/path.ts";
import { byRecency, ProjectTable } from "./parts/project_table.tsx";
import { mayEdit, mayManage, teamRoleLabel } from "./parts/roles.ts";
import type { AuditEntry, Project, Team } from "./parts/shapes.ts";
import { TeamHeader } from "./parts/team_header.tsx";

const RECENT = 6;
const ENTRIES = 12;

interface Data {
  readonly team: Team;
  readonly projects: readonly Project[];
  /** Null for those who may not see it. */
  readonly audit: readonly AuditEntry[] | null;
}

export default definePage<Data>({
  async load({ params, api, signal }) {
    const id = param(params, "team");
    const [team, { projects }] = await Promise.all([
      api.get<Team>(path`teams/${id}`, { signal }),
      api.get<{ projects: Project[] }>(path`teams/${id}/projects`, { signal }),
    ]);
    if (!mayManage(team.role)) return { team, projects, audit: null };
    const { entries } = await api.get<{ entries: AuditEntry[] }>(path`teams/${id}/audit`, { signal });
    return { team, projects, audit: entries.slice(0, ENTRIES) };
  },
  View: TeamOverview,
  title: ({ team }) => team.name,
  subjects: ({ team }) => ({ team: team.pseudonym }),
  Skeleton: () => (
    <>
      <SkeletonHeader tabs />
      <SkeletonTiles count={4} />
      <div class="split"><SkeletonTable count={5} /><SkeletonTable count={5} /></div>
    </>
  ),
});

function TeamOverview({ data: { team, projects, audit } }: { data: Data }) {
  const nodes = projects.reduce((sum, project) => sum + project.flows.nodes, 0);
  return (
    <>
      <TeamHeader
        team={team}
        tab="overview"
        actions={mayEdit(team.role) && <LinkButton kind="primary" icon="plus" href={path`/team/${team.id}/projects/create`}>New project</LinkButton>}
      />
      <StatTiles>
        <StatTile label="Projects" value={count(projects.length)} />
        <StatTile label="Members" value={count(team.members)} />
        <StatTile label="Nodes in all flows" value={count(nodes)} />
        <StatTile label="Your role" value={teamRoleLabel(team.role)} />
      </StatTiles>
      <div class={audit ? "split" : undefined}>
        <Card title="Recent projects" flush actions={projects.length > RECENT && <a href={path`/team/${team.id}/projects`}>All {projects.length}</a>}>
          {projects.length === 0 ? <NoProjects team={team} /> : (
            <ProjectTable caption={`Recent projects of ${team.name}`} projects={byRecency(projects).slice(0, RECENT)} />
          )}
        </Card>
        {audit && <Card title="What happened" lede="Seen by owners only." flush><AuditList entries={audit} /></Card>}
      </div>
    </>
  );
}
