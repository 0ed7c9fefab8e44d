import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field, SelectField } from "../../components/field.tsx";
import { FormBody, useForm } from "../../components/form.tsx";
import type { PageContext } from "../../page.ts";
import { PLATFORM_ROLE_HINT, PLATFORM_ROLES } from "./roles.ts";
import type { Account } from "./shapes.ts";

interface Props {
  readonly open: boolean;
  readonly ctx: PageContext;
  onClose(): void;
}

export function CreateUserDialog({ open, ctx, onClose }: Props) {
  const form = useForm(async ({ username, name, email, password, role }) => {
    const optional = { ...(name ? { name } : {}), ...(email ? { email } : {}) };
    const user = await ctx.api.post<Account>("users", { username, password, role, ...optional });
    ctx.toast(`User ${user.username} created`, "success");
    onClose();
    await ctx.reload();
  });
  return (
    <Dialog open={open} title="New user" onClose={onClose}>
      <FormBody form={form} label="New user">
        <Field name="username" label="User name" error={form.errors.username} autocomplete="off" plain required autofocus />
        <Field name="name" label="Name (optional)" error={form.errors.name} autocomplete="off" />
        <Field name="email" label="E-mail (optional)" type="email" error={form.errors.email} autocomplete="off" />
        <Field
          name="password"
          label="First password"
          type="password"
          hint="Hand it over in person; it can be changed under Account, Security."
          error={form.errors.password}
          autocomplete="new-password"
          required
        />
        <SelectField name="role" label="Role" hint={PLATFORM_ROLE_HINT} error={form.errors.role} options={PLATFORM_ROLES} value="user" />
        <div class="actions actions-end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={form.busy}>Create user</Button>
        </div>
      </FormBody>
    </Dialog>
  );
}
