import type { Option } from "../../components/field.tsx";

interface Props {
  /** Whose role it is, for screen readers. */
  readonly label: string;
  readonly value: string;
  readonly options: readonly Option[];
  readonly disabled?: boolean;
  onChange(value: string): void;
}

/** A role inside a table row, changed at once. */
export function RoleSelect({ label, value, options, disabled = false, onChange }: Props) {
  return (
    <select
      class="select-small"
      aria-label={label}
      disabled={disabled}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
    </select>
  );
}
