import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field, SelectField } from "../../components/field.tsx";
import { FormBody, useForm } from "../../components/form.tsx";
import type { PageContext } from "../../page.ts";
import { path } from "./path.ts";
import { TEAM_ROLE_HINT, TEAM_ROLES } from "./roles.ts";
import type { Team } from "./shapes.ts";

interface Props {
  readonly open: boolean;
  readonly team: Team;
  readonly ctx: PageContext;
  onClose(): void;
}

export function InviteDialog({ open, team, ctx, onClose }: Props) {
  const form = useForm(async ({ username, role }) => {
    await ctx.api.post(path`teams/${team.id}/invitations`, { username, role });
    ctx.toast(`${String(username)} invited`, "success");
    onClose();
    await ctx.reload();
  });
  return (
    <Dialog open={open} title={`Invite to ${team.name}`} onClose={onClose}>
      <FormBody form={form} label="Invite">
        <Field
          name="username"
          label="User name"
          hint="Somebody who has an account here. They find the invitation on their home page."
          error={form.errors.username}
          autocomplete="off"
          plain
          required
          autofocus
        />
        <SelectField name="role" label="Role" hint={TEAM_ROLE_HINT} error={form.errors.role} options={TEAM_ROLES} value="member" />
        <div class="actions actions-end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={form.busy}>Invite</Button>
        </div>
      </FormBody>
    </Dialog>
  );
}
