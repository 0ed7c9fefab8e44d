import { Button } from "../../components/button.tsx";
import { Field } from "../../components/field.tsx";
import { FormBody, useForm } from "../../components/form.tsx";
import { Notice } from "../../components/notice.tsx";
import type { PageContext } from "../../page.ts";

/** Signs in at the present address, which then shows what it has for whoever that is. */
export function SignInForm({ ctx }: { ctx: PageContext }) {
  const form = useForm((values) => ctx.session.login(String(values["username"]), String(values["password"])));
  return (
    <>
      {ctx.ended && (
        <Notice tone="warning" title="Your session has ended" alert>
          <p>Sign in again to go on. What had not been saved yet was not saved.</p>
        </Notice>
      )}
      <FormBody form={form} label="Sign in">
        <Field name="username" label="User name" autocomplete="username" required plain autofocus error={form.errors["username"]} />
        <Field name="password" label="Password" type="password" autocomplete="current-password" required error={form.errors["password"]} />
        <Button type="submit" kind="primary" busy={form.busy}>
          Sign in
        </Button>
      </FormBody>
    </>
  );
}
