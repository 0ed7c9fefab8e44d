import { useState } from "preact/hooks";

import { plural } from "../charts/format.ts";
import { Button } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { Notice } from "../components/notice.tsx";
import { SkeletonCard, SkeletonHeader } from "../components/skeleton.tsx";
import { definePage, type PageContext } from "../page.ts";
import { param, path } from "./parts/path.ts";
import { RenameForm } from "./parts/rename_form.tsx";
import { mayManage } from "./parts/roles.ts";
import type { Team } from "./parts/shapes.ts";
import { TeamHeader } from "./parts/team_header.tsx";
import { TypedConfirm } from "./parts/typed_confirm.tsx";

export default definePage<Team>({
  load: ({ params, api, signal }) => api.get<Team>(path`teams/${param(params, "team")}`, { signal }),
  View: TeamSettings,
  title: (team) => `${team.name} · Settings`,
  subjects: (team) => ({ team: team.pseudonym }),
  Skeleton: () => <><SkeletonHeader tabs /><SkeletonCard count={3} /><SkeletonCard count={2} /></>,
});

function TeamSettings({ data: team, ctx }: { data: Team; ctx: PageContext }) {
  return (
    <>
      <TeamHeader team={team} tab="settings" />
      {mayManage(team.role) ? (
        <div class="stack narrow">
          <Card title="Name">
            <RenameForm label="Team name" name={team.name} address={path`teams/${team.id}`} ctx={ctx} />
          </Card>
          <DeleteTeam team={team} ctx={ctx} />
        </div>
      ) : (
        <Notice tone="warning" title="Only owners change a team"><p>Ask an owner of <bdi>{team.name}</bdi>.</p></Notice>
      )}
    </>
  );
}

function DeleteTeam({ team, ctx }: { team: Team; ctx: PageContext }) {
  const [asking, setAsking] = useState(false);
  async function remove() {
    await ctx.api.delete(path`teams/${team.id}`);
    ctx.toast(`Team ${team.name} deleted`, "success");
    ctx.navigate("/", { replace: true });
  }
  return (
    <Card title="Delete this team" lede="Its projects and their flows go with it. This cannot be undone.">
      <Button kind="danger" onClick={() => setAsking(true)}>Delete team…</Button>
      <TypedConfirm
        open={asking}
        title="Delete this team?"
        action="Delete team"
        name={team.name}
        onConfirm={remove}
        onClose={() => setAsking(false)}
      >
        <p>{plural(team.projects, "project")} and the membership of {plural(team.members, "person", "people")} will be gone.</p>
      </TypedConfirm>
    </Card>
  );
}
