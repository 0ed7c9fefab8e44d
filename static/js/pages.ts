// Which module shows a route.

import type { RouteName } from "./generated/routes.ts";
import type { Page } from "./page.ts";

// `any`: what a page loads only that page shows; `unknown` would refuse every view.
export type AnyPage = Page<any>;

type Loader = () => Promise<{ readonly default: AnyPage }>;

export const pages: Readonly<Record<RouteName, Loader>> = {
  home: () => import("./views/home.tsx"),
  setup: () => import("./views/setup.tsx"),
  register: () => import("./views/register.tsx"),
  login: () => import("./views/login.tsx"),
  not_found: () => import("./views/not_found.tsx"),
  account: () => import("./views/account.tsx"),
  account_security: () => import("./views/account_security.tsx"),
  account_privacy: () => import("./views/account_privacy.tsx"),
  team_create: () => import("./views/team_create.tsx"),
  team: () => import("./views/team.tsx"),
  team_projects: () => import("./views/team_projects.tsx"),
  team_members: () => import("./views/team_members.tsx"),
  team_settings: () => import("./views/team_settings.tsx"),
  project_create: () => import("./views/project_create.tsx"),
  project: () => import("./views/project.tsx"),
  project_flows: () => import("./views/project_flows.tsx"),
  project_settings: () => import("./views/project_settings.tsx"),
  admin: () => import("./views/admin.tsx"),
  admin_users: () => import("./views/admin_users.tsx"),
  admin_settings: () => import("./views/admin_settings.tsx"),
  admin_telemetry: () => import("./views/admin_telemetry.tsx"),
  insights: () => import("./views/insights.tsx"),
  insights_routes: () => import("./views/insights_routes.tsx"),
  insights_live: () => import("./views/insights_live.tsx"),
};
