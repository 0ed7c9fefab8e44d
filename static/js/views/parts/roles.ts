/** What a role in a team may do, as the server guards it (docs/api.md). */

import type { Option } from "../../components/field.tsx";
import type { TeamRole } from "./shapes.ts";

export function mayManage(role: TeamRole): boolean {
  return role === "owner";
}

export function mayEdit(role: TeamRole): boolean {
  return role !== "viewer";
}

export const TEAM_ROLES: readonly Option[] = [
  { value: "owner", label: "Owner" },
  { value: "member", label: "Member" },
  { value: "viewer", label: "Viewer" },
];

export const TEAM_ROLE_HINT = "Owners manage the team, members change projects, viewers only look.";

export const PLATFORM_ROLES: readonly Option[] = [
  { value: "user", label: "User" },
  { value: "analyst", label: "Analyst" },
  { value: "admin", label: "Administrator" },
];

export const PLATFORM_ROLE_HINT = "Analysts also see Insights; administrators see everything and change settings.";

export function teamRoleLabel(role: TeamRole): string {
  return TEAM_ROLES.find((option) => option.value === role)?.label ?? role;
}
