// Which module shows a route. Views that people move between come together, in one file for each family.

import type { RouteName } from "./generated/routes.ts";
import type { Page } from "./page.ts";
import login from "./views/login.tsx";
import notFound from "./views/not_found.tsx";

// `any`: what a page loads only that page shows; `unknown` would refuse every view.
export type AnyPage = Page<any>;

const gate = () => import("./pages/gate.ts");
const account = () => import("./pages/account.ts");
const team = () => import("./pages/team.ts");
const project = () => import("./pages/project.ts");
const admin = () => import("./pages/admin.ts");
const insights = () => import("./pages/insights.ts");

export const pages: Readonly<Record<RouteName, () => Promise<AnyPage>>> = {
  setup: async () => (await gate()).setup,
  register: async () => (await gate()).register,
  // Small, and wanted at once by those who see them.
  login: () => Promise.resolve(login),
  not_found: () => Promise.resolve(notFound),
  account: async () => (await account()).account,
  account_security: async () => (await account()).account_security,
  account_privacy: async () => (await account()).account_privacy,
  home: async () => (await team()).home,
  team_create: async () => (await team()).team_create,
  team: async () => (await team()).team,
  team_projects: async () => (await team()).team_projects,
  team_members: async () => (await team()).team_members,
  team_settings: async () => (await team()).team_settings,
  project_create: async () => (await project()).project_create,
  project: async () => (await project()).project,
  project_flows: async () => (await project()).project_flows,
  project_settings: async () => (await project()).project_settings,
  admin: async () => (await admin()).admin,
  admin_users: async () => (await admin()).admin_users,
  admin_settings: async () => (await admin()).admin_settings,
  admin_telemetry: async () => (await admin()).admin_telemetry,
  admin_ping: async () => (await admin()).admin_ping,
  insights: async () => (await insights()).insights,
  insights_routes: async () => (await insights()).insights_routes,
  insights_live: async () => (await insights()).insights_live,
};
