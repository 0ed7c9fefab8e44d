const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const ABSOLUTE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** `at` seen from `now`, both in milliseconds: "3 hours ago". */
export function relative(at: number, now: number): string {
  const seconds = (at - now) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return RELATIVE.format(Math.trunc(seconds / size), unit);
  }
  return "just now";
}

/** A moment (ISO 8601): how long ago, the exact time as a tooltip. */
export function When({ iso }: { iso: string }) {
  const at = Date.parse(iso);
  return (
    <time dateTime={iso} title={ABSOLUTE.format(at)}>
      {relative(at, Date.now())}
    </time>
  );
}
