import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { ApiError } from "../api.ts";
import { Notice } from "./notice.tsx";

/** What a form holds, by field name: text, or true/false for switches. */
export type Values = Record<string, string | boolean>;

interface FormState {
  busy: boolean;
  /** By field name; from the server's `fields`. */
  errors: Readonly<Record<string, string>>;
  /** What concerns no single field. */
  error: string | null;
}

export interface Form extends FormState {
  submit(event: SubmitEvent): void;
}

/**
 * Runs `act` with the form's values when it is sent, once at a time. An `ApiError` with `fields` goes to the fields,
 * any other error above the form.
 */
export function useForm(act: (values: Values) => Promise<void>): Form {
  const [state, setState] = useState<FormState>({ busy: false, errors: {}, error: null });
  const running = useRef(false);

  async function run(values: Values) {
    running.current = true;
    setState({ busy: true, errors: {}, error: null });
    try {
      await act(values);
      setState({ busy: false, errors: {}, error: null });
    } catch (error) {
      setState({ busy: false, ...failure(error) });
    } finally {
      running.current = false;
    }
  }

  return {
    ...state,
    submit(event) {
      event.preventDefault();
      if (!running.current) void run(readValues(event.currentTarget as HTMLFormElement));
    },
  };
}

function failure(error: unknown): Omit<FormState, "busy"> {
  if (!(error instanceof ApiError)) {
    console.error(error);
    return { errors: {}, error: "Something went wrong on this page. Try again." };
  }
  const named = Object.keys(error.fields).length > 0;
  return { errors: error.fields, error: named ? null : error.message };
}

function readValues(form: HTMLFormElement): Values {
  const values: Values = {};
  for (const element of form.elements) {
    if (!(element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement)) continue;
    if (!element.name || element.disabled) continue;
    const box = element instanceof HTMLInputElement && element.type === "checkbox";
    values[element.name] = box ? (element as HTMLInputElement).checked : element.value;
  }
  return values;
}

interface FormProps {
  form: Form;
  /** Accessible name, when no heading gives one. */
  label?: string;
  children: ComponentChildren;
}

/** The form itself: shows what concerns no field, and moves the focus to the first field that was refused. */
export function FormBody({ form, label, children }: FormProps) {
  const element = useRef<HTMLFormElement>(null);
  useEffect(() => {
    element.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [form.errors]);
  return (
    <form ref={element} class="form" aria-label={label} noValidate onSubmit={form.submit}>
      {form.error && (
        <Notice tone="danger" alert>
          <p>{form.error}</p>
        </Notice>
      )}
      {children}
    </form>
  );
}
