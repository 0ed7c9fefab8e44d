import type { ComponentChildren } from "preact";

import { PageHeader } from "../../components/page_header.tsx";

export type AdminTab = "overview" | "users" | "settings" | "telemetry";

const TABS: readonly { readonly key: AdminTab; readonly label: string; readonly href: string }[] = [
  { key: "overview", label: "Overview", href: "/admin" },
  { key: "users", label: "Users", href: "/admin/users" },
  { key: "settings", label: "Settings", href: "/admin/settings" },
  { key: "telemetry", label: "Telemetry", href: "/admin/telemetry" },
];

/** The head shared by the pages of the administration. */
export function AdminHeader({ tab, actions, lede }: { tab: AdminTab; actions?: ComponentChildren; lede?: ComponentChildren }) {
  return (
    <PageHeader
      title="Administration"
      lede={lede}
      actions={actions}
      tabs={TABS.map(({ key, label, href }) => ({ label, href, current: key === tab }))}
    />
  );
}
