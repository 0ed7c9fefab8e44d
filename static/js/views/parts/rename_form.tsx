import { Button } from "../../components/button.tsx";
import { Field } from "../../components/field.tsx";
import { FormBody, useForm } from "../../components/form.tsx";
import type { PageContext } from "../../page.ts";

interface Props {
  readonly label: string;
  readonly name: string;
  /** What is changed: `PATCH address {name}`. */
  readonly address: string;
  readonly ctx: PageContext;
}

export function RenameForm({ label, name, address, ctx }: Props) {
  const form = useForm(async (values) => {
    await ctx.api.patch(address, { name: values.name });
    await ctx.reload();
    ctx.toast("Name saved", "success");
  });
  return (
    <FormBody form={form} label={label}>
      <Field name="name" label={label} value={name} error={form.errors.name} maxLength={100} autocomplete="off" required />
      <div class="actions">
        <Button type="submit" kind="primary" busy={form.busy}>Save name</Button>
      </div>
    </FormBody>
  );
}
