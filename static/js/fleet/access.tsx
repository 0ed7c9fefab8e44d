/** Asks for the access token; the answer sets a cookie, and the page shows the fleet. */

import { Button } from "../components/button.tsx";
import { Field } from "../components/field.tsx";
import { FormBody, useForm } from "../components/form.tsx";
import { post } from "./asking.ts";

export function Access({ granted }: { granted: () => void }) {
  const form = useForm(async (values) => {
    await post("access", { token: String(values["token"] ?? "").trim() });
    granted();
  });
  return (
    <div class="gate">
      <h1>Fleet</h1>
      <p class="lede">The numbers of this collector are for those who have its access token.</p>
      <FormBody form={form} label="Access">
        <Field
          name="token"
          label="Access token"
          type="password"
          autocomplete="current-password"
          required
          plain
          autofocus
          hint={<>The setting <code>collector.access_token</code>, or else the file <code>collector.access</code> in the collector's home.</>}
        />
        <Button type="submit" kind="primary" busy={form.busy}>Show the fleet</Button>
      </FormBody>
    </div>
  );
}
