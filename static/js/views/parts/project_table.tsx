import { Table, type Column } from "../../components/table.tsx";
import { When } from "../../components/when.tsx";
import { count } from "../../charts/format.ts";
import { path } from "./path.ts";
import type { Project } from "./shapes.ts";

interface Props {
  readonly caption: string;
  readonly projects: readonly Project[];
  /** Names the team of each row, where rows are of several teams. */
  readonly withTeam?: boolean;
  readonly sortable?: boolean;
}

/** Projects as rows that lead to them. */
export function ProjectTable({ caption, projects, withTeam, sortable }: Props) {
  const columns = COLUMNS
    .filter((column) => withTeam || column.key !== "team")
    .map(({ sort, ...column }) => (sortable && sort ? { ...column, sort } : column));
  const order = sortable ? { sortedBy: { key: "updated", down: true } } : {};
  return <Table caption={caption} columns={columns} rows={projects} rowKey={(project) => project.id} {...order} />;
}

/** The last changed first. */
export function byRecency(projects: readonly Project[]): Project[] {
  return projects.toSorted((a, b) => b.updated_at.localeCompare(a.updated_at));
}

const COLUMNS: readonly Column<Project>[] = [
  {
    key: "name", label: "Project", sort: (project) => project.name,
    cell: (project) => <a class="row-link" href={path`/project/${project.id}`}><bdi>{project.name}</bdi></a>,
  },
  {
    key: "team", label: "Team", minor: true, sort: (project) => project.team.name,
    cell: (project) => <a class="quiet-link" href={path`/team/${project.team.id}`}><bdi>{project.team.name}</bdi></a>,
  },
  { key: "tabs", label: "Tabs", align: "end", minor: true, sort: (project) => project.flows.tabs, cell: (project) => count(project.flows.tabs) },
  { key: "nodes", label: "Nodes", align: "end", sort: (project) => project.flows.nodes, cell: (project) => count(project.flows.nodes) },
  { key: "updated", label: "Changed", align: "end", sort: (project) => project.updated_at, cell: (project) => <When iso={project.updated_at} /> },
];
