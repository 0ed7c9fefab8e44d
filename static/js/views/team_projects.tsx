import { plural } from "../charts/format.ts";
import { LinkButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { SkeletonHeader, SkeletonTable } from "../components/skeleton.tsx";
import { definePage } from "../page.ts";
import { NoProjects } from "./parts/no_projects.tsx";
import { param, path } from "./parts/path.ts";
import { ProjectTable } from "./parts/project_table.tsx";
import { mayEdit } from "./parts/roles.ts";
import type { Project, Team } from "./parts/shapes.ts";
import { TeamHeader } from "./parts/team_header.tsx";

interface Data {
  readonly team: Team;
  readonly projects: readonly Project[];
}

export default definePage<Data>({
  async load({ params, api, signal }) {
    const id = param(params, "team");
    const [team, { projects }] = await Promise.all([
      api.get<Team>(path`teams/${id}`, { signal }),
      api.get<{ projects: Project[] }>(path`teams/${id}/projects`, { signal }),
    ]);
    return { team, projects };
  },
  View: TeamProjects,
  title: ({ team }) => `${team.name} · Projects`,
  subjects: ({ team }) => ({ team: team.pseudonym }),
  Skeleton: () => <><SkeletonHeader tabs /><SkeletonTable count={8} /></>,
});

function TeamProjects({ data: { team, projects } }: { data: Data }) {
  return (
    <>
      <TeamHeader
        team={team}
        tab="projects"
        actions={mayEdit(team.role) && <LinkButton kind="primary" icon="plus" href={path`/team/${team.id}/projects/create`}>New project</LinkButton>}
      />
      <Card flush title={projects.length > 0 ? plural(projects.length, "project") : "Projects"}>
        {projects.length === 0 ? <NoProjects team={team} /> : (
          <ProjectTable caption={`Projects of ${team.name}`} projects={projects} sortable />
        )}
      </Card>
    </>
  );
}
