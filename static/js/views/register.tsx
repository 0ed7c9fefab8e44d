import { Button } from "../components/button.tsx";
import { Field } from "../components/field.tsx";
import { FormBody, useForm } from "../components/form.tsx";
import { definePage, type PageContext } from "../page.ts";

function Register({ ctx }: { data: null; ctx: PageContext }) {
  const form = useForm((values) => ctx.session.register(values));
  return (
    <div class="gate">
      <h1 tabIndex={-1}>Create an account</h1>
      <p class="lede">Then create a team, or accept an invitation to one.</p>
      <FormBody form={form} label="Create an account">
        <Field name="username" label="User name" autocomplete="username" required plain autofocus error={form.errors["username"]} />
        <Field name="name" label="Full name" autocomplete="name" hint="Shown to the people in your teams." error={form.errors["name"]} />
        <Field name="email" label="E-mail" type="email" autocomplete="email" hint="Optional." error={form.errors["email"]} />
        <Field name="password" label="Password" type="password" autocomplete="new-password" required error={form.errors["password"]} />
        <Button type="submit" kind="primary" busy={form.busy}>
          Create account
        </Button>
      </FormBody>
      <p class="gate-foot">
        Have an account already? <a href="/">Sign in</a>
      </p>
    </div>
  );
}

export default definePage({ load: () => Promise.resolve(null), View: Register });
