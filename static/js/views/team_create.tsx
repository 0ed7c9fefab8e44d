import { Button, LinkButton } from "../components/button.tsx";
import { Card } from "../components/card.tsx";
import { Field } from "../components/field.tsx";
import { FormBody, useForm } from "../components/form.tsx";
import { PageHeader } from "../components/page_header.tsx";
import { definePage, type PageContext } from "../page.ts";
import { path } from "./parts/path.ts";
import type { Team } from "./parts/shapes.ts";

export default definePage<null>({
  load: async () => null,
  View: TeamCreate,
});

function TeamCreate({ ctx }: { ctx: PageContext }) {
  const form = useForm(async ({ name }) => {
    const team = await ctx.api.post<Team>("teams", { name });
    ctx.toast(`Team ${team.name} created`, "success");
    ctx.navigate(path`/team/${team.id}`, { replace: true });
  });
  return (
    <div class="narrow">
      <PageHeader title="New team" crumbs={[{ label: "Home", href: "/" }]} lede="You become its owner and can invite others afterwards." />
      <Card>
        <FormBody form={form} label="New team">
          <Field
            name="name"
            label="Name"
            hint="A plant, a line, a department: what the people in it share."
            error={form.errors.name}
            maxLength={100}
            autocomplete="off"
            required
            autofocus
          />
          <div class="actions">
            <Button type="submit" kind="primary" busy={form.busy}>Create team</Button>
            <LinkButton kind="quiet" href="/">Cancel</LinkButton>
          </div>
        </FormBody>
      </Card>
    </div>
  );
}
