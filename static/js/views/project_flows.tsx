import { useState } from "preact/hooks";

import { BarList } from "../charts/bars.tsx";
import type { Column } from "../charts/csv.ts";
import { CsvButton, Definition } from "../charts/figure.tsx";
import { count, plural } from "../charts/format.ts";
import { Button, LinkButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { EmptyState } from "../components/empty.tsx";
import { SkeletonHeader, SkeletonTable, SkeletonTiles } from "../components/skeleton.tsx";
import { StatTile, StatTiles } from "../components/stat_tile.tsx";
import { definePage, type PageContext } from "../page.ts";
import { ImportDialog } from "./parts/import_dialog.tsx";
import { param, path } from "./parts/path.ts";
import { ProjectHeader } from "./parts/project_header.tsx";
import { mayEdit } from "./parts/roles.ts";
import type { Flows, Project } from "./parts/shapes.ts";

const FIRST = 20;
const DEFINITION =
  "Nodes and configuration nodes by their type, disabled ones too; instances of subflows count as one type. " +
  "Tabs, subflow definitions, groups and junctions do not count.";

type TypeCount = Flows["types"][number];
const COLUMNS: readonly Column<TypeCount>[] = [
  { key: "type", label: "Type", raw: (row) => row.type },
  { key: "count", label: "Nodes", align: "end", raw: (row) => row.count },
];

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
  View: ProjectFlows,
  title: ({ project }) => `${project.name} · Flows`,
  subjects: ({ project }) => ({ team: project.team.pseudonym, project: project.pseudonym }),
  Skeleton: () => <><SkeletonHeader tabs /><SkeletonTiles count={4} /><SkeletonTable count={10} /></>,
});

function ProjectFlows({ data: { project, flows }, ctx }: { data: Data; ctx: PageContext }) {
  const [importing, setImporting] = useState(false);
  const editable = mayEdit(project.team.role);
  const empty = flows.updated_at === null || flows.tabs + flows.types.length === 0;
  const open = () => setImporting(true);
  return (
    <>
      <ProjectHeader project={project} tab="flows" actions={!empty && <Actions project={project} onImport={editable ? open : null} />} />
      {empty ? <NoFlows onImport={editable ? open : null} /> : <Counts project={project} flows={flows} />}
      <ImportDialog
        open={importing}
        project={project}
        present={flows.nodes}
        ctx={ctx}
        onClose={() => setImporting(false)}
      />
    </>
  );
}

function Actions({ project, onImport }: { project: Project; onImport: (() => void) | null }) {
  return (
    <>
      <LinkButton icon="download" href={path`/api/v1/projects/${project.id}/flows/export`} download>
        Export
      </LinkButton>
      {onImport && <Button kind="primary" onClick={onImport}>Import…</Button>}
    </>
  );
}

function Counts({ project, flows }: Data) {
  const [all, setAll] = useState(false);
  const types = all ? flows.types : flows.types.slice(0, FIRST);
  return (
    <>
      <StatTiles>
        <StatTile label="Tabs" value={count(flows.tabs)} />
        <StatTile label="Nodes" value={count(flows.nodes)} />
        <StatTile label="Subflows" value={count(flows.subflows)} />
        <StatTile label="Configuration nodes" value={count(flows.config_nodes)} />
      </StatTiles>
      <Card
        title="Nodes by type"
        flush
        actions={<CsvButton file={`${fileName(project.name)}_node_types`} columns={COLUMNS} rows={types} />}
      >
        <BarList
          caption={`Nodes of ${project.name} by type`}
          unit={["Type", "Nodes"]}
          items={types.map(({ type, count: value }) => ({ label: type, value }))}
        />
        <div class="card-foot">
          <Definition text={DEFINITION} />
          {flows.types.length > FIRST && (
            <Button kind="quiet" size="small" onClick={() => setAll(!all)}>
              {all ? `First ${FIRST} types` : `All ${plural(flows.types.length, "type")}`}
            </Button>
          )}
        </div>
      </Card>
    </>
  );
}

function NoFlows({ onImport }: { onImport: (() => void) | null }) {
  return (
    <Card>
      <EmptyState
        title="No flows yet"
        icon="project"
        action={onImport && <Button kind="primary" onClick={onImport}>Import flows…</Button>}
      >
        <p>
          {onImport
            ? "In Node-RED choose Export, all flows, and bring the file here. It is kept as it is and counted; nothing in it is run."
            : "A member of the team can import a flows file."}
        </p>
      </EmptyState>
    </Card>
  );
}

/** Safe as a file name everywhere; never empty. */
function fileName(name: string): string {
  return name.normalize("NFKC").replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_+|_+$/g, "").slice(0, 60) || "flows";
}
