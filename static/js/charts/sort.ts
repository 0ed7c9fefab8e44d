/** Sorting of table rows by a raw value; `null` stands last in both directions. Pure and stable. */

export type Direction = "ascending" | "descending";

export interface Sorting<Key extends string> {
  readonly key: Key;
  readonly direction: Direction;
}

export function sortBy<Row>(
  rows: readonly Row[],
  value: (row: Row) => string | number | null,
  direction: Direction,
): Row[] {
  const sign = direction === "ascending" ? 1 : -1;
  return [...rows].sort((left, right) => {
    const a = value(left);
    const b = value(right);
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    if (typeof a === "string" || typeof b === "string") return sign * String(a).localeCompare(String(b), "en");
    return sign * (a - b);
  });
}

/** A click on a heading: the same column turns round, another starts with the direction its kind deserves. */
export function nextSorting<Key extends string>(
  current: Sorting<Key>,
  key: Key,
  kind: "words" | "numbers",
): Sorting<Key> {
  if (current.key === key) return { key, direction: current.direction === "ascending" ? "descending" : "ascending" };
  return { key, direction: kind === "words" ? "ascending" : "descending" };
}
