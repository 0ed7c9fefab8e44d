import { useState } from "preact/hooks";

import { Button } from "../../components/button.tsx";
import { ConfirmDialog } from "../../components/dialog.tsx";
import { Table, type Column } from "../../components/table.tsx";
import { When } from "../../components/when.tsx";
import type { PageContext } from "../../page.ts";
import { attempt } from "./attempt.ts";
import { path } from "./path.ts";
import { Person } from "./person.tsx";
import { RoleSelect } from "./role_select.tsx";
import { PLATFORM_ROLES } from "./roles.ts";
import type { Account } from "./shapes.ts";

/** Accounts; nobody changes their own role or suspends themselves here, so that no platform loses its last hand. */
export function UserTable({ users, ctx }: { users: readonly Account[]; ctx: PageContext }) {
  const [suspending, setSuspending] = useState<Account | null>(null);
  const own = (user: Account) => user.id === ctx.user?.id;
  const change = (user: Account, values: Partial<Account>, done: string) =>
    attempt(ctx, () => ctx.api.patch(path`users/${user.id}`, values), done);

  const columns: readonly Column<Account>[] = [
    {
      key: "user", label: "User", sort: (user) => user.username,
      cell: (user) => <Person username={user.username} name={user.name} you={own(user)} suspended={user.suspended} />,
    },
    { key: "email", label: "E-mail", minor: true, sort: (user) => user.email, cell: (user) => <span class="muted">{user.email}</span> },
    {
      key: "role", label: "Role", sort: (user) => user.role,
      cell: (user) => (
        <RoleSelect
          label={`Role of ${user.username}`}
          value={user.role}
          options={PLATFORM_ROLES}
          disabled={own(user)}
          onChange={(role) => void change(user, { role: role as Account["role"] }, `Role of ${user.username} changed`)}
        />
      ),
    },
    {
      key: "seen", label: "Last sign-in", align: "end", minor: true, sort: (user) => user.last_login_at,
      cell: (user) => (user.last_login_at ? <When iso={user.last_login_at} /> : <span class="muted">never</span>),
    },
    {
      key: "act", label: "Change", bare: true, align: "end",
      cell: (user) => (own(user) ? null : (
        <Button
          kind="quiet"
          size="small"
          onClick={() => (user.suspended ? void change(user, { suspended: false }, `${user.username} may sign in again`) : setSuspending(user))}
        >
          {user.suspended ? "Reinstate" : "Suspend"}<span class="visually-hidden"> {user.username}</span>
        </Button>
      )),
    },
  ];

  return (
    <>
      <Table caption="Users of this platform" columns={columns} rows={users} rowKey={(user) => user.id} />
      <SuspendDialog user={suspending} ctx={ctx} onClose={() => setSuspending(null)} />
    </>
  );
}

function SuspendDialog({ user, ctx, onClose }: { user: Account | null; ctx: PageContext; onClose(): void }) {
  async function suspend() {
    if (!user) return;
    await ctx.api.patch(path`users/${user.id}`, { suspended: true });
    ctx.toast(`${user.username} is suspended`, "success");
    await ctx.reload();
  }
  return (
    <ConfirmDialog open={user !== null} title={`Suspend ${user?.username ?? ""}?`} action="Suspend" danger onConfirm={suspend} onClose={onClose}>
      <p>Every session of the account ends at once, and it cannot sign in until it is reinstated. Teams and projects stay as they are.</p>
    </ConfirmDialog>
  );
}
