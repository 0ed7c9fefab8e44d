import type { RouteName } from "../generated/routes.ts";
import { PageHeader } from "./page_header.tsx";

const TABS: readonly (readonly [RouteName, string, string])[] = [
  ["account", "Profile", "/account"],
  ["account_security", "Security", "/account/security"],
  ["account_privacy", "Privacy", "/account/privacy"],
];

export function AccountHeader({ current }: { current: RouteName }) {
  const tabs = TABS.map(([route, label, href]) => ({ label, href, current: route === current }));
  const title = TABS.find(([route]) => route === current)?.[1] ?? "Account";
  return <PageHeader crumbs={[{ label: "Account" }]} title={title} tabs={tabs} />;
}
