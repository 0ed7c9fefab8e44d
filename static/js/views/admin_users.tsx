import { useState } from "preact/hooks";

import { plural } from "../charts/format.ts";
import { Button } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { EmptyState } from "../components/empty.tsx";
import { SkeletonTable } from "../components/skeleton.tsx";
import { definePage, type PageContext } from "../page.ts";
import { AdminHeader } from "./parts/admin_header.tsx";
import { CreateUserDialog } from "./parts/create_user_dialog.tsx";
import type { Account } from "./parts/shapes.ts";
import { UserTable } from "./parts/user_table.tsx";
import { SkeletonSection } from "./parts/skeletons.tsx";

/** Rows drawn at once; the rest comes with a click, so that thousands of accounts cost nothing. */
const STEP = 50;

export default definePage<readonly Account[]>({
  load: async ({ api, signal }) => (await api.get<{ users: Account[] }>("users", { signal })).users,
  View: AdminUsers,
  title: () => "Administration · Users",
  Skeleton: () => <><SkeletonSection /><SkeletonTable count={10} /></>,
});

function AdminUsers({ data: users, ctx }: { data: readonly Account[]; ctx: PageContext }) {
  const [creating, setCreating] = useState(false);
  const [wanted, setWanted] = useState("");
  const [most, setMost] = useState(STEP);
  const found = matching(users, wanted);
  return (
    <>
      <AdminHeader tab="users" actions={<Button kind="primary" icon="plus" onClick={() => setCreating(true)}>New user</Button>} />
      <Card
        title={wanted ? `${plural(found.length, "user")} of ${users.length}` : plural(users.length, "user")}
        flush
        actions={(
          <input
            type="search"
            class="search"
            aria-label="Find users by name or e-mail"
            placeholder="Find…"
            value={wanted}
            onInput={(event) => { setWanted(event.currentTarget.value); setMost(STEP); }}
          />
        )}
      >
        {found.length === 0 ? <EmptyState title="Nobody fits" icon="search"><p>No user name, name or e-mail holds “{wanted}”.</p></EmptyState> : (
          <UserTable users={found.slice(0, most)} ctx={ctx} />
        )}
        {found.length > most && (
          <div class="card-foot">
            <Button kind="quiet" size="small" onClick={() => setMost(most + STEP * 2)}>Show more of {plural(found.length, "user")}</Button>
          </div>
        )}
      </Card>
      <CreateUserDialog open={creating} ctx={ctx} onClose={() => setCreating(false)} />
    </>
  );
}

function matching(users: readonly Account[], wanted: string): readonly Account[] {
  const text = wanted.trim().toLowerCase();
  if (text === "") return users;
  return users.filter((user) => [user.username, user.name, user.email ?? ""].some((part) => part.toLowerCase().includes(text)));
}
