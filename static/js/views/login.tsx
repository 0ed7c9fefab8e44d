import { Button } from "../components/button.tsx";
import { Field } from "../components/field.tsx";
import { FormBody, useForm } from "../components/form.tsx";
import { definePage, type PageContext } from "../page.ts";

/** Stands at whatever address a signed-out visitor asks for, and makes place for it. */
function Login({ ctx }: { data: null; ctx: PageContext }) {
  const form = useForm((values) => ctx.session.login(String(values["username"]), String(values["password"])));
  const wanted = location.pathname !== "/";
  return (
    <div class="gate">
      <h1 tabIndex={-1}>Sign in</h1>
      <p class="lede">{wanted ? "Sign in to see this page." : "Welcome back."}</p>
      <FormBody form={form} label="Sign in">
        <Field name="username" label="User name" autocomplete="username" required plain autofocus error={form.errors["username"]} />
        <Field name="password" label="Password" type="password" autocomplete="current-password" required error={form.errors["password"]} />
        <Button type="submit" kind="primary" busy={form.busy}>
          Sign in
        </Button>
      </FormBody>
      {ctx.boot.setup.signup && (
        <p class="gate-foot">
          New here? <a href="/account/register">Create an account</a>
        </p>
      )}
    </div>
  );
}

export default definePage({ load: () => Promise.resolve(null), View: Login });
