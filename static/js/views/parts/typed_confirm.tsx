import type { ComponentChildren } from "preact";

import { ApiError } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Field } from "../../components/field.tsx";
import { FormBody, useForm } from "../../components/form.tsx";

interface Props {
  readonly open: boolean;
  readonly title: string;
  /** What the button does, as a verb: "Delete team". */
  readonly action: string;
  /** The name that must be typed. */
  readonly name: string;
  onConfirm(): Promise<void>;
  onClose(): void;
  readonly children: ComponentChildren;
}

/** For what cannot be undone and takes others' work along: the name of the thing has to be typed. */
export function TypedConfirm({ open, title, action, name, onConfirm, onClose, children }: Props) {
  const form = useForm(async ({ confirmation }) => {
    if (confirmation !== name) {
      throw new ApiError("not_confirmed", "Not confirmed.", 0, { confirmation: `Type “${name}” exactly as it is written here.` });
    }
    await onConfirm();
  });
  return (
    <Dialog open={open} title={title} onClose={onClose}>
      {children}
      <FormBody form={form} label={title}>
        <Field
          name="confirmation"
          label="Type the name to confirm"
          hint={<>It is <b class="typed-name"><bdi>{name}</bdi></b></>}
          error={form.errors.confirmation}
          autocomplete="off"
          plain
          autofocus
        />
        <div class="actions actions-end">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="danger" busy={form.busy}>{action}</Button>
        </div>
      </FormBody>
    </Dialog>
  );
}
