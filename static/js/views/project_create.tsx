import { Button, LinkButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { Field } from "../components/field.tsx";
import { FormBody, useForm } from "../components/form.tsx";
import { Notice } from "../components/notice.tsx";
import { PageHeader } from "../components/page_header.tsx";
import { SkeletonCard, SkeletonHeader } from "../components/skeleton.tsx";
import { definePage, type PageContext } from "../page.ts";
import { param, path } from "./parts/path.ts";
import { mayEdit } from "./parts/roles.ts";
import type { Project, Team } from "./parts/shapes.ts";

export default definePage<Team>({
  load: ({ params, api, signal }) => api.get<Team>(path`teams/${param(params, "team")}`, { signal }),
  View: ProjectCreate,
  title: (team) => `${team.name} · New project`,
  subjects: (team) => ({ team: team.pseudonym }),
  Skeleton: () => <div class="narrow"><SkeletonHeader /><SkeletonCard count={3} /></div>,
});

function ProjectCreate({ data: team, ctx }: { data: Team; ctx: PageContext }) {
  return (
    <div class="narrow">
      <PageHeader
        title="New project"
        crumbs={[
          { label: "Home", href: "/" },
          { label: team.name, href: path`/team/${team.id}` },
          { label: "Projects", href: path`/team/${team.id}/projects` },
        ]}
      />
      {mayEdit(team.role) ? <CreateForm team={team} ctx={ctx} /> : (
        <Notice tone="warning" title="You can only look around in this team">
          <p>Its members create projects. Ask an owner of <bdi>{team.name}</bdi> to make you one.</p>
        </Notice>
      )}
    </div>
  );
}

function CreateForm({ team, ctx }: { team: Team; ctx: PageContext }) {
  const form = useForm(async ({ name }) => {
    const project = await ctx.api.post<Project>("projects", { team: team.id, name });
    ctx.toast(`Project ${project.name} created`, "success");
    ctx.navigate(path`/project/${project.id}`, { replace: true });
  });
  return (
    <Card>
      <FormBody form={form} label="New project">
        <Field
          name="name"
          label="Name"
          hint="What its flows do."
          error={form.errors.name ?? form.errors.team}
          maxLength={100}
          autocomplete="off"
          required
          autofocus
        />
        <div class="actions">
          <Button type="submit" kind="primary" busy={form.busy}>Create project</Button>
          <LinkButton kind="quiet" href={path`/team/${team.id}/projects`}>Cancel</LinkButton>
        </div>
      </FormBody>
    </Card>
  );
}
