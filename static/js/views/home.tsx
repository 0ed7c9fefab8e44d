import { LinkButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { EmptyState } from "../components/empty.tsx";
import { PageHeader } from "../components/page_header.tsx";
import { SkeletonHeader, SkeletonTable } from "../components/skeleton.tsx";
import { definePage, type PageContext } from "../page.ts";
import { Invitations } from "./parts/invitations.tsx";
import { path } from "./parts/path.ts";
import { ProjectTable } from "./parts/project_table.tsx";
import { TeamList } from "./parts/team_list.tsx";
import type { Project, ReceivedInvitation, Team } from "./parts/shapes.ts";

interface Data {
  readonly teams: readonly Team[];
  readonly projects: readonly Project[];
  readonly invitations: readonly ReceivedInvitation[];
}

export default definePage<Data>({
  load: ({ api, signal }) => api.get<Data>("home", { signal }),
  View: Home,
  Skeleton: () => (
    <>
      <SkeletonHeader />
      <div class="split"><SkeletonTable count={6} /><SkeletonTable count={4} /></div>
    </>
  ),
});

function Home({ data, ctx }: { data: Data; ctx: PageContext }) {
  const { teams, projects, invitations } = data;
  return (
    <>
      <PageHeader
        title="Home"
        actions={teams.length > 0 && <LinkButton href="/team/create" icon="plus">New team</LinkButton>}
      />
      <Invitations invitations={invitations} ctx={ctx} />
      {teams.length === 0 ? <FirstTeam invited={invitations.length > 0} /> : (
        <div class="split">
          <Card title="Recent projects" flush>
            {projects.length === 0 ? <FirstProject teams={teams} /> : (
              <ProjectTable caption="Projects changed lately" projects={projects} withTeam />
            )}
          </Card>
          <Card title="Your teams" flush><TeamList teams={teams} /></Card>
        </div>
      )}
    </>
  );
}

function FirstTeam({ invited }: { invited: boolean }) {
  return (
    <Card>
      <EmptyState
        title={invited ? "You are not in a team yet" : "Start with a team"}
        icon="team"
        action={<LinkButton kind="primary" href="/team/create" icon="plus">Create a team</LinkButton>}
      >
        <p>A team holds projects and the people who work on them. {invited && "Accept an invitation above, or create a team of your own."}</p>
      </EmptyState>
    </Card>
  );
}

function FirstProject({ teams }: { teams: readonly Team[] }) {
  const team = teams.find((candidate) => candidate.role !== "viewer");
  return (
    <EmptyState
      title="No projects yet"
      icon="project"
      action={team && <LinkButton href={path`/team/${team.id}/projects/create`} icon="plus">New project in <bdi>{team.name}</bdi></LinkButton>}
    >
      <p>
        {team
          ? "A project keeps a flows file, so that it can be counted, shared and exported."
          : "Your teams have no projects, and viewers cannot create them."}
      </p>
    </EmptyState>
  );
}
