import { count } from "../charts/format.ts";

/** A number, or that it is too small to be told. */
export function Few({ value, smallest = 10 }: { value: number | null; smallest?: number | undefined }) {
  return value === null ? <span class="few">fewer than {smallest}</span> : <>{count(value)}</>;
}
