import { useState } from "preact/hooks";

import { ApiError } from "../api.ts";
import { AccountHeader } from "../components/account_header.tsx";
import { Badge } from "../components/badge.tsx";
import { Button } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { ConfirmDialog } from "../components/dialog.tsx";
import { Field } from "../components/field.tsx";
import { FormBody, useForm } from "../components/form.tsx";
import { SkeletonCard, SkeletonHeader, SkeletonTable } from "../components/skeleton.tsx";
import { Table, type Column } from "../components/table.tsx";
import { When } from "../components/when.tsx";
import { definePage, type PageContext } from "../page.ts";
import { describeAgent } from "../user_agent.ts";

interface SignedIn {
  id: string;
  created_at: string;
  last_seen_at: string;
  user_agent: string;
  current: boolean;
}

interface Data {
  sessions: readonly SignedIn[];
}

function Security({ data, ctx }: { data: Data; ctx: PageContext }) {
  return (
    <>
      <AccountHeader current="account_security" />
      <div class="stack narrow">
        <Password ctx={ctx} />
        <Sessions sessions={data.sessions} ctx={ctx} />
      </div>
    </>
  );
}

function Password({ ctx }: { ctx: PageContext }) {
  // A new key empties the fields.
  const [round, setRound] = useState(0);
  const form = useForm(async (values) => {
    if (values["new"] !== values["again"]) {
      throw new ApiError("invalid", "The two do not match.", 400, { again: "This is not the same as the new password." });
    }
    await ctx.api.put("user/password", { current: values["current"], new: values["new"] });
    setRound(round + 1);
    ctx.toast("Password changed; other sessions were ended", "success");
    await ctx.reload();
  });
  return (
    <Card title="Password" lede="Changing it ends every other session.">
      <FormBody key={round} form={form} label="Password">
        {/* For password managers: whose password it is. */}
        <input type="text" autocomplete="username" value={ctx.user?.username ?? ""} readOnly hidden />
        <Field name="current" label="Current password" type="password" autocomplete="current-password" required error={form.errors["current"]} />
        <Field name="new" label="New password" type="password" autocomplete="new-password" required error={form.errors["new"] ?? form.errors["password"]} />
        <Field name="again" label="New password again" type="password" autocomplete="new-password" required error={form.errors["again"]} />
        <div class="actions">
          <Button type="submit" kind="primary" busy={form.busy}>
            Change password
          </Button>
        </div>
      </FormBody>
    </Card>
  );
}

function Sessions({ sessions, ctx }: { sessions: readonly SignedIn[]; ctx: PageContext }) {
  const [ending, setEnding] = useState<SignedIn | null>(null);

  async function end() {
    if (!ending) return;
    await ctx.api.delete(`user/sessions/${encodeURIComponent(ending.id)}`);
    ctx.toast("Session ended", "success");
    await ctx.reload();
  }

  const columns: readonly Column<SignedIn>[] = [
    {
      key: "browser",
      label: "Browser",
      cell: (row) => (
        <span class="with-badge" title={row.user_agent}>
          {describeAgent(row.user_agent)} {row.current && <Badge tone="accent">This one</Badge>}
        </span>
      ),
    },
    { key: "seen", label: "Last seen", cell: (row) => <When iso={row.last_seen_at} /> },
    { key: "created", label: "Signed in", cell: (row) => <When iso={row.created_at} />, minor: true },
    {
      key: "end",
      label: "End session",
      bare: true,
      align: "end",
      cell: (row) =>
        !row.current && (
          <Button size="small" onClick={() => setEnding(row)}>
            End
          </Button>
        ),
    },
  ];
  return (
    <Card title="Sessions" lede="Where you are signed in." flush>
      <Table caption="Browsers you are signed in with" columns={columns} rows={sessions} rowKey={(row) => row.id} />
      <ConfirmDialog open={ending !== null} title="End this session?" action="End session" danger onConfirm={end} onClose={() => setEnding(null)}>
        <p>{ending && describeAgent(ending.user_agent)} will have to sign in again.</p>
      </ConfirmDialog>
    </Card>
  );
}

export default definePage<Data>({
  load: ({ api, signal }) => api.get<Data>("user/sessions", { signal }),
  View: Security,
  Skeleton: () => (
    <>
      <SkeletonHeader tabs />
      <div class="stack narrow">
        <SkeletonCard count={6} />
        <SkeletonTable count={3} />
      </div>
    </>
  ),
});
