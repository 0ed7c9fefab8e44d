import { useState } from "preact/hooks";

import { plural } from "../charts/format.ts";
import { Button } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { Notice } from "../components/notice.tsx";
import { SkeletonCard, SkeletonHeader } from "../components/skeleton.tsx";
import { definePage, type PageContext } from "../page.ts";
import { param, path } from "./parts/path.ts";
import { ProjectHeader } from "./parts/project_header.tsx";
import { RenameForm } from "./parts/rename_form.tsx";
import { mayEdit, mayManage } from "./parts/roles.ts";
import type { Project } from "./parts/shapes.ts";
import { TypedConfirm } from "./parts/typed_confirm.tsx";

export default definePage<Project>({
  load: ({ params, api, signal }) => api.get<Project>(path`projects/${param(params, "project")}`, { signal }),
  View: ProjectSettings,
  title: (project) => `${project.name} · Settings`,
  subjects: (project) => ({ team: project.team.pseudonym, project: project.pseudonym }),
  Skeleton: () => <><SkeletonHeader tabs /><SkeletonCard count={3} /><SkeletonCard count={2} /></>,
});

function ProjectSettings({ data: project, ctx }: { data: Project; ctx: PageContext }) {
  return (
    <>
      <ProjectHeader project={project} tab="settings" />
      {mayEdit(project.team.role) ? (
        <div class="stack narrow">
          <Card title="Name">
            <RenameForm label="Project name" name={project.name} address={path`projects/${project.id}`} ctx={ctx} />
          </Card>
          <DeleteProject project={project} ctx={ctx} />
        </div>
      ) : (
        <Notice tone="warning" title="Viewers cannot change a project"><p>Ask a member of <bdi>{project.team.name}</bdi>.</p></Notice>
      )}
    </>
  );
}

function DeleteProject({ project, ctx }: { project: Project; ctx: PageContext }) {
  const [asking, setAsking] = useState(false);
  if (!mayManage(project.team.role)) {
    return <Card title="Delete this project" lede={`Only owners of ${project.team.name} can delete it.`} />;
  }
  async function remove() {
    await ctx.api.delete(path`projects/${project.id}`);
    ctx.toast(`Project ${project.name} deleted`, "success");
    ctx.navigate(path`/team/${project.team.id}/projects`, { replace: true });
  }
  return (
    <Card title="Delete this project" lede="Its flows go with it; export them first if they are needed. This cannot be undone.">
      <Button kind="danger" onClick={() => setAsking(true)}>Delete project…</Button>
      <TypedConfirm
        open={asking}
        title="Delete this project?"
        action="Delete project"
        name={project.name}
        onConfirm={remove}
        onClose={() => setAsking(false)}
      >
        <p>{plural(project.flows.nodes, "node")} on {plural(project.flows.tabs, "tab")} will be gone.</p>
      </TypedConfirm>
    </Card>
  );
}
