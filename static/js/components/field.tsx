import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface Common {
  name: string;
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  required?: boolean;
  disabled?: boolean;
}

interface FieldProps extends Common {
  type?: "text" | "password" | "email" | "search" | "number" | "date";
  value?: string;
  autocomplete?: string;
  placeholder?: string;
  minLength?: number;
  maxLength?: number;
  /** Receives the focus when its view or dialog appears. */
  autofocus?: boolean;
  /** Technical text: no correction, no capitals. */
  plain?: boolean;
  onInput?(value: string): void;
}

function Frame({ id, label, hint, error, children }: Pick<Common, "label" | "hint" | "error"> & { id: string; children: ComponentChildren }) {
  return (
    <div class={error ? "field field-invalid" : "field"}>
      <label for={id}>{label}</label>
      {children}
      {hint && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

function described(id: string, hint: ComponentChildren, error: string | undefined): string | undefined {
  const ids = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean);
  return ids.length > 0 ? ids.join(" ") : undefined;
}

/** A labelled input. Uncontrolled: `value` is where it starts; read it from the form. */
export function Field(props: FieldProps) {
  const id = useId();
  const { name, label, hint, error, type = "text", value, plain, onInput, autofocus, ...rest } = props;
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <input
        id={id}
        name={name}
        type={type as "text"}
        defaultValue={value}
        data-autofocus={autofocus ? "" : undefined}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={described(id, hint, error)}
        spellcheck={plain ? false : undefined}
        autocapitalize={plain ? "none" : undefined}
        onInput={onInput && ((event) => onInput(event.currentTarget.value))}
        {...rest}
      />
    </Frame>
  );
}

export interface Option {
  value: string;
  label: string;
}

interface SelectProps extends Common {
  options: readonly Option[];
  value?: string;
  onChange?(value: string): void;
}

export function SelectField({ name, label, hint, error, options, value, onChange, ...rest }: SelectProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <select
        id={id}
        name={name}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={described(id, hint, error)}
        onChange={onChange && ((event) => onChange(event.currentTarget.value))}
        {...rest}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
    </Frame>
  );
}

interface TextAreaProps extends Common {
  value?: string;
  rows?: number;
  placeholder?: string;
}

export function TextArea({ name, label, hint, error, value, rows = 6, ...rest }: TextAreaProps) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <textarea
        id={id}
        name={name}
        rows={rows}
        defaultValue={value}
        aria-invalid={error ? "true" : undefined}
        aria-describedby={described(id, hint, error)}
        spellcheck={false}
        {...rest}
      />
    </Frame>
  );
}

interface SwitchProps {
  name: string;
  label: string;
  hint?: ComponentChildren;
  disabled?: boolean;
  /** Where it starts; with `onChange` the state in force. */
  checked: boolean;
  onChange?(checked: boolean): void;
}

/** On or off, at once. In a form (without `onChange`) it is read like a check box. */
export function Switch({ name, label, hint, disabled, checked, onChange }: SwitchProps) {
  const id = useId();
  const state = onChange ? { checked } : { defaultChecked: checked };
  return (
    <div class="switch">
      <div>
        <label for={id}>{label}</label>
        {hint && (
          <div class="field-hint" id={`${id}-hint`}>
            {hint}
          </div>
        )}
      </div>
      <input
        id={id}
        name={name}
        type="checkbox"
        role="switch"
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={onChange && ((event) => onChange(event.currentTarget.checked))}
        {...state}
      />
    </div>
  );
}
