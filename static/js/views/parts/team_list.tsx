import { plural } from "../../charts/format.ts";
import { Badge } from "../../components/badge.tsx";
import { path } from "./path.ts";
import { teamRoleLabel } from "./roles.ts";
import type { Team } from "./shapes.ts";

/** The reader's teams as rows that lead to them. */
export function TeamList({ teams }: { teams: readonly Team[] }) {
  return (
    <ul class="list">
      {teams.map((team) => (
        <li key={team.id}>
          <a class="list-row list-link" href={path`/team/${team.id}`}>
            <span class="list-main">
              <span class="list-title"><bdi>{team.name}</bdi></span>
              <span class="muted">{plural(team.projects, "project")} · {plural(team.members, "member")}</span>
            </span>
            <Badge>{teamRoleLabel(team.role)}</Badge>
          </a>
        </li>
      ))}
    </ul>
  );
}
