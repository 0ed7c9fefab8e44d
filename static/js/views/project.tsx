import { count, plural } from "../charts/format.ts";
import { BarList } from "../charts/bars.tsx";
import { LinkButton } from "../components/button.tsx";
import { Card, Facts } from "../components/card.tsx";
import { EmptyState } from "../components/empty.tsx";
import { SkeletonCard, SkeletonHeader, SkeletonTiles } from "../components/skeleton.tsx";
import { StatTile, StatTiles } from "../components/stat_tile.tsx";
import { When } from "../components/when.tsx";
import { definePage } from "../page.ts";
import { param, path } from "./parts/path.ts";
import { ProjectHeader } from "./parts/project_header.tsx";
import { mayEdit, teamRoleLabel } from "./parts/roles.ts";
import type { Flows, Project } from "./parts/shapes.ts";

const TOP = 5;

interface Data {
  readonly project: Project;
  readonly flows: Flows;
}

export default definePage<Data>({
  async load({ params, api, signal }) {
    const id = param(params, "project");
    const [project, flows] = await Promise.all([
      api.get<Project>(path`projects/${id}`, { signal }),
      api.get<Flows>(path`projects/${id}/flows`, { signal }),
    ]);
    return { project, flows };
  },
  View: ProjectOverview,
  title: ({ project }) => project.name,
  subjects: ({ project }) => ({ team: project.team.pseudonym, project: project.pseudonym }),
  Skeleton: () => (
    <>
      <SkeletonHeader tabs />
      <SkeletonTiles count={4} />
      <div class="split"><SkeletonCard count={5} /><SkeletonCard count={4} /></div>
    </>
  ),
});

function ProjectOverview({ data: { project, flows } }: { data: Data }) {
  const flowsPage = path`/project/${project.id}/flows`;
  return (
    <>
      <ProjectHeader project={project} tab="overview" />
      <StatTiles>
        <StatTile label="Tabs" value={count(flows.tabs)} />
        <StatTile label="Nodes" value={count(flows.nodes)} />
        <StatTile label="Subflows" value={count(flows.subflows)} />
        <StatTile label="Configuration nodes" value={count(flows.config_nodes)} />
      </StatTiles>
      <div class="split">
        <Card title="Most used node types" flush actions={flows.types.length > 0 && <a href={flowsPage}>All {plural(flows.types.length, "type")}</a>}>
          {flows.types.length === 0 ? <NoFlows project={project} href={flowsPage} /> : (
            <BarList
              caption={`Most used node types of ${project.name}`}
              unit={["Type", "Nodes"]}
              items={flows.types.slice(0, TOP).map(({ type, count: value }) => ({ label: type, value }))}
            />
          )}
        </Card>
        <Card title="About">
          <Facts
            items={[
              ["Team", <a href={path`/team/${project.team.id}`}><bdi>{project.team.name}</bdi></a>],
              ["Your role", teamRoleLabel(project.team.role)],
              ["Created", <When iso={project.created_at} />],
              ["Changed", <When iso={project.updated_at} />],
            ]}
          />
        </Card>
      </div>
    </>
  );
}

function NoFlows({ project, href }: { project: Project; href: string }) {
  const may = mayEdit(project.team.role);
  return (
    <EmptyState title="No flows yet" icon="project" action={may && <LinkButton kind="primary" href={href}>Import flows</LinkButton>}>
      <p>{may ? "Import a Node-RED flows file to see what it is made of." : "A member of the team can import a flows file."}</p>
    </EmptyState>
  );
}
