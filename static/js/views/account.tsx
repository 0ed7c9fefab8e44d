import { AccountHeader } from "../components/account_header.tsx";
import { Badge } from "../components/badge.tsx";
import { Button } from "../components/button.tsx";
import { Card, Facts } from "../components/card.tsx";
import { Field } from "../components/field.tsx";
import { FormBody, useForm } from "../components/form.tsx";
import { SkeletonCard, SkeletonHeader } from "../components/skeleton.tsx";
import { When } from "../components/when.tsx";
import type { Role } from "../boot.ts";
import { definePage, type PageContext } from "../page.ts";

interface Account {
  id: string;
  username: string;
  name: string;
  email: string | null;
  role: Role;
  created_at: string;
}

const ROLES: Readonly<Record<Role, string>> = { user: "User", analyst: "Analyst", admin: "Administrator" };

function Profile({ data, ctx }: { data: Account; ctx: PageContext }) {
  const form = useForm(async (values) => {
    const saved = await ctx.api.patch<Account>("user", values);
    const { boot } = ctx;
    if (boot.user) ctx.setBoot({ ...boot, user: { ...boot.user, name: saved.name } });
    ctx.toast("Profile saved", "success");
    await ctx.reload();
  });
  return (
    <>
      <AccountHeader current="account" />
      <div class="stack narrow">
        <Card title="Profile" lede="How you appear to the people in your teams.">
          <FormBody form={form} label="Profile">
            <Field name="name" label="Full name" value={data.name} autocomplete="name" error={form.errors["name"]} />
            <Field name="email" label="E-mail" type="email" value={data.email ?? ""} autocomplete="email" hint="Optional. Seen by administrators only." error={form.errors["email"]} />
            <div class="actions">
              <Button type="submit" kind="primary" busy={form.busy}>
                Save
              </Button>
            </div>
          </FormBody>
        </Card>
        <Card title="Account">
          <Facts
            items={[
              ["User name", data.username],
              ["Role", <Badge>{ROLES[data.role]}</Badge>],
              ["Created", <When iso={data.created_at} />],
            ]}
          />
        </Card>
      </div>
    </>
  );
}

export default definePage<Account>({
  load: ({ api, signal }) => api.get<Account>("user", { signal }),
  View: Profile,
  Skeleton: () => (
    <>
      <SkeletonHeader tabs />
      <div class="stack narrow">
        <SkeletonCard count={5} />
        <SkeletonCard count={3} />
      </div>
    </>
  ),
});
