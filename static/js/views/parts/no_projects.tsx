import { LinkButton } from "../../components/button.tsx";
import { EmptyState } from "../../components/empty.tsx";
import { path } from "./path.ts";
import { mayEdit } from "./roles.ts";
import type { Team } from "./shapes.ts";

/** A team without projects: what comes next, for those who may do it and for those who may not. */
export function NoProjects({ team }: { team: Team }) {
  return (
    <EmptyState
      title="No projects yet"
      icon="project"
      action={mayEdit(team.role) && <LinkButton kind="primary" icon="plus" href={path`/team/${team.id}/projects/create`}>New project</LinkButton>}
    >
      <p>{mayEdit(team.role) ? "Create one, then import a flows file into it." : "Members of this team can create one."}</p>
    </EmptyState>
  );
}
